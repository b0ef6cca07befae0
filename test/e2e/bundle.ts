import { build } from "../../scripts/local.ts";

/** The production bundle, made once for all of these tests. */
export default build;

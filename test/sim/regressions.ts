/**
 * Seeds that found something, by what they showed. A seed tells its story only as long as worlds
 * are drawn as they were: what matters of it is kept as the smallest test of the handbook, too.
 */
export const REGRESSIONS = [
  { seed: 950_099, showed: "a refusal by report lets a gap grow on that a taken dial had ended" },
] as const;

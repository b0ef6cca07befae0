import type { Lookup } from "../carriers/carrier.ts";
import { soundNews, soundWord } from "../carriers/sound.ts";
import { makeId } from "../core/ids.ts";
import type { Errand } from "./attend.ts";
import { findCall } from "./calls.ts";
import { extend } from "./conclude.ts";
import type { Commit } from "./flush.ts";
import { hearUnnamed } from "./hear.ts";
import { holdsSlot } from "./ledger.ts";
import { hear } from "./news.ts";
import type { Outside } from "./outside.ts";
import type { ConnectionDoc } from "./verbs.ts";

/** A request that takes longer has failed, ms. */
const GIVE_UP_MS = 15_000;

/**
 * Requests that place no call: looks at calls without news, and probes of connections whose
 * answer was lost (H22). One at a time, since dials need the object's connections out; when one
 * fails, the others of its kind and connection are left for their next turn.
 */
export class Errands {
  readonly #outside: Outside;
  readonly #commit: Commit;
  readonly #waiting: Errand[] = [];
  #running = false;

  constructor(outside: Outside, commit: Commit) {
    this.#outside = outside;
    this.#commit = commit;
  }

  add(errands: readonly Errand[]): void {
    for (const errand of errands) {
      if (this.#waiting.some((one) => isSame(one, errand))) continue;
      // A probe opens a whole connection, a look moves one call.
      if (errand.kind === "probe") this.#waiting.unshift(errand);
      else this.#waiting.push(errand);
    }
    if (this.#running || this.#waiting.length === 0) return;
    this.#running = true;
    this.#outside.background(this.#run());
  }

  async #run(): Promise<void> {
    try {
      for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
        const { kind, connection } = next;
        if (await this.#do(next)) continue;
        const others = this.#waiting.filter(
          (one) => one.connection !== connection || one.kind !== kind,
        );
        this.#waiting.splice(0, this.#waiting.length, ...others);
      }
    } finally {
      this.#running = false;
    }
  }

  /** False when the carrier did not answer well. */
  async #do(errand: Errand): Promise<boolean> {
    const wanted = this.#commit((state) => {
      const call = errand.kind === "look" ? findCall(state.sql, errand.call) : null;
      return {
        doc: state.copies.connection(errand.connection),
        carrierCallId: call?.carrierCallId ?? null,
        id:
          call === null || call.state === "concluded"
            ? null
            : makeId("cal", state.workspace, call.id),
      };
    });
    if (wanted.doc === null) return true;
    // What was decided meanwhile needs no look.
    if (errand.kind === "look" && wanted.id === null) return true;
    try {
      if (errand.kind === "probe") await this.#probe(wanted.doc);
      else await this.#look(wanted.doc, errand.call, wanted);
      return true;
    } catch (error) {
      const { kind, connection } = errand;
      const text = error instanceof Error ? error.message : String(error);
      this.#outside.log("errand", { kind, connection, error: text });
      return false;
    }
  }

  async #probe(doc: ConnectionDoc): Promise<void> {
    const { carrier, settings } = await this.#outside.open(doc);
    await carrier.test(settings, this.#outside.timeout(GIVE_UP_MS));
    this.#commit((state) => state.connections.proved(doc.id));
  }

  async #look(
    doc: ConnectionDoc,
    key: number,
    wanted: { id: ReturnType<typeof makeId<"cal">> | null; carrierCallId: string | null },
  ): Promise<void> {
    if (wanted.id === null) return;
    const { carrier, settings } = await this.#outside.open(doc);
    const asked = { call: wanted.id, carrierCallId: wanted.carrierCallId };
    const found = await carrier.lookup(settings, asked, this.#outside.timeout(GIVE_UP_MS));
    this.#commit((state, now) => {
      state.connections.proved(doc.id);
      const call = findCall(state.sql, key);
      if (call === null || found.kind === "unknown") return;
      const news = soundNews(newsOf(found));
      // Once a call: a report that ended it before has had its word counted.
      const word = holdsSlot(call.state) ? soundWord(found.unknownWord) : null;
      if (word !== null) state.changes.words.note(doc.id, word, now);
      hear(state, call, news, found.carrierCallId, now);
      hearUnnamed(state, key, now);
      const after = findCall(state.sql, key);
      if (found.kind === "alive" && after !== null && holdsSlot(after.state)) {
        extend(state, after, now);
      }
    });
  }
}

function isSame(a: Errand, b: Errand): boolean {
  if (a.kind === "look") return b.kind === "look" && a.call === b.call;
  return b.kind === "probe" && a.connection === b.connection;
}

/** What a look-up says of a call that is over ends it, whatever its reports would have said. */
function newsOf(found: Exclude<Lookup, { kind: "unknown" }>) {
  return found.kind === "over" ? { ...found.news, ended: true } : { ...found.news, ended: false };
}

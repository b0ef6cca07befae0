import { describe, expect, test } from "vitest";
import type { ConnectionId, NumberId } from "../../src/core/ids.ts";
import { editPair, fillPair, type HeldPair, type Setup } from "../../src/core/setup.ts";
import { ANNA, BOTH, lines, ON_ONE, ON_TWO, ONE, setupWith, TWO } from "./bodies.ts";

const GONE = "num_abcdef_gone" as NumberId;
const NONE: HeldPair = { agent: null, from: null };

/** A workspace whose agents all speak over a third connection. */
function withThird(): Setup {
  const setup = setupWith();
  const connection = "con_abcdef_three" as ConnectionId;
  return {
    ...setup,
    agentOf: (id) => {
      const agent = setup.agentOf(id);
      return agent === null ? null : { ...agent, connection };
    },
  };
}

describe("a number without an agent", () => {
  test.each<[string, NumberId | null, HeldPair | null, NumberId | null]>([
    ["of the workspace, for a new campaign", ON_ONE, null, ON_ONE],
    ["of the workspace, for a task of a campaign without one", ON_ONE, NONE, ON_ONE],
    ["of the workspace, where the campaign's is gone", ON_ONE, { ...NONE, from: GONE }, ON_ONE],
    ["of the campaign, before the workspace's", ON_ONE, { ...NONE, from: ON_TWO }, ON_TWO],
    ["that is gone everywhere", GONE, { ...NONE, from: GONE }, null],
    ["that nobody has", null, NONE, null],
  ])("H33 %s", (_, from, held, chosen) => {
    expect(fillPair({}, setupWith({ from }), held)).toEqual({
      ok: true,
      value: { agent: null, from: chosen },
    });
  });
});

describe("a pair on different connections", () => {
  test("H33 is refused, and says on which its number is", () => {
    expect(lines(fillPair({ agent: ANNA, from: BOTH }, withThird(), null))).toEqual([
      `from | a number on connection con_abcdef_three, that of agent ${ANNA} | "${BOTH}" on ${ONE}, ${TWO}`,
    ]);
  });
});

describe("an edit that names neither agent nor number", () => {
  test("H4 leaves the pair as it is, whatever has become of the two", () => {
    const held = { agent: ANNA, from: ON_ONE };
    const empty = setupWith({ agentOf: () => null, numberOf: () => [] });
    for (const setup of [setupWith(), withThird(), empty]) {
      expect(editPair({}, setup, held)).toEqual({ ok: true, value: held });
      expect(editPair({ agent: undefined }, setup, held)).toEqual({ ok: true, value: held });
    }
    expect(editPair({ agent: null, from: null }, empty, NONE)).toEqual({ ok: true, value: NONE });
  });
});

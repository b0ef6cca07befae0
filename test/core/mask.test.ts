import { describe, expect, it } from "vitest";
import type { CallRecord } from "../../src/core/call.ts";
import { callFor, taskFor } from "../../src/core/mask.ts";
import type { TaskRecord } from "../../src/core/task.ts";

const PHONE = "+919876540001";
const TASK = {
  id: "tsk_k3v9q2m8xa_1",
  phone: PHONE,
  context: { name: "Asha", city: "Pune" },
  externalId: "LK-31007",
  consent: { version: 1, address: "203.0.113.7" },
  status: "queued",
} as unknown as TaskRecord;
const CALL = {
  id: "cal_k3v9q2m8xa_1",
  from: "+918047112233",
  to: PHONE,
  word: "hung up by +91 98765 40001",
  outcome: "connected",
  costMicros: 12,
  recordingUrl: "https://carrier.example/1.wav",
  transcript: [{ role: "agent", text: "Hello" }],
  analysis: { mood: "fine" },
} as unknown as CallRecord;

describe("H37 what whoever may not see personal data gets", () => {
  it("is all of it for those who may", () => {
    expect(taskFor(true, TASK)).toEqual(TASK);
    expect(callFor(true, CALL)).toEqual(CALL);
  });

  it("of a task: its number masked, the names of its values, and the rest", () => {
    expect(taskFor(false, TASK)).toEqual({
      ...TASK,
      phone: "+91••••••••01",
      context: { name: null, city: null },
      consent: null,
    });
    expect(taskFor(false, { ...TASK, externalId: null }).externalId).toBe(null);
  });

  it("of a task whose client named it after its number: the name masked as well", () => {
    const named = (externalId: string) => taskFor(false, { ...TASK, externalId }).externalId;
    expect(named(PHONE)).toBe("+91••••••••01");
    expect(named("lead 98765 40001 (web)")).toBe("lead ••••••••01 (web)");
    expect(named("1234567890")).toBe("1234567890");
  });

  it("of a call: its number masked, nothing that was said, and the rest", () => {
    expect(callFor(false, CALL)).toEqual({
      ...CALL,
      to: "+91••••••••01",
      word: "hung up by +91••••••••01",
      recordingUrl: null,
      transcript: null,
      analysis: null,
    });
    expect(callFor(false, { ...CALL, word: null }).word).toBe(null);
  });
});

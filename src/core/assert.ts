/** Throws when an invariant that only a bug can break does not hold. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`bug: ${message}`);
}

/** Ends an exhaustive `switch`; the compiler refuses it while a case is missing. */
export function unreachable(value: never): never {
  throw new Error(`bug: unreachable value ${String(value)}`);
}

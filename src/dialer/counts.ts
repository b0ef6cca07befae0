/** What an object has cost so far, in the units of the price list. */
export type Counts = {
  /** Calls of its verbs, and alarms. */
  requests: number;
  rowsRead: number;
  rowsWritten: number;
  d1RowsRead: number;
  d1RowsWritten: number;
  /** Events that were told, and the queue's messages that carried them. */
  events: number;
  eventMessages: number;
};

export function noCounts(): Counts {
  const rows = { rowsRead: 0, rowsWritten: 0, d1RowsRead: 0, d1RowsWritten: 0 };
  return { requests: 0, ...rows, events: 0, eventMessages: 0 };
}

/** The same object; each call of its methods counts as a request. */
export function counted<T extends object>(target: T, counts: Counts): T {
  return new Proxy(target, {
    get(object, name) {
      const value: unknown = Reflect.get(object, name, object);
      if (typeof value !== "function") return value;
      return (...args: unknown[]) => {
        counts.requests += 1;
        return value.apply(object, args) as unknown;
      };
    },
  });
}

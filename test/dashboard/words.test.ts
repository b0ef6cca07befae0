import { describe, expect, it } from "vitest";
import { changesOf, type Draft, daysWords, planWords } from "../../src/dashboard/draft.ts";
import { type ListReading, nearestColumn, readList, type Told } from "../../src/dashboard/list.ts";
import { dayAndTime, instantOf, localText, relative, roughly } from "../../src/dashboard/times.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const draft: Draft = {
  name: "Orders",
  agent: "agt_1",
  from: "num_1",
  priority: "normal",
  timezone: "Asia/Kolkata",
  startAfter: null,
  endAfter: null,
  allDay: false,
  opens: "10:00",
  closes: "20:00",
  days: ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
  retries: 1,
  intervals: [30],
  retryOutcomes: [],
  slots: null,
};

describe("a list read in the browser", () => {
  const read = async (text: string | Uint8Array<ArrayBuffer>, how = {}) => {
    const told: Told[] = [];
    await readList(new Blob([text]), how, (one) => told.push(one));
    const last = told.at(-1);
    if (last?.kind === "progress" || last === undefined) throw new Error("it never ended");
    return last;
  };
  const reading = async (text: string, how = {}): Promise<ListReading> => {
    const told = await read(text, how);
    if (told.kind !== "read") throw new Error(JSON.stringify(told));
    return told.reading;
  };

  it("H7 counts what would be called and what is rejected, by reason and by line", async () => {
    const rows = ['+919876543210,"Rao, Asha"', "9.19877E+11,x", "+919876543210,again", "98765,x"];
    const found = await reading(`phone,name\r\n${rows.join("\r\n")}\r\n\r\n`);
    expect(found).toMatchObject({
      columns: ["name"],
      rows: 4,
      good: 1,
      rejected: { scientific: 1, duplicate: 1, no_country_code: 1 },
    });
    expect(found.problems.map(({ line, reason }) => [line, reason])).toEqual([
      [3, "scientific"],
      [4, "duplicate"],
      [5, "no_country_code"],
    ]);
    expect(found.sample[0]).toEqual(["+919876543210", "Rao, Asha"]);
  });

  it("H8 reads numbers without + as it is told, and never on a guess", async () => {
    const text = "phone\n919876543210\n9876543211\n";
    expect((await reading(text)).good).toBe(0);
    expect((await reading(text, { numbers: "international-without-plus" })).good).toBe(1);
    expect((await reading(text, { defaultCountry: "IN" })).good).toBe(2);
  });

  it.each([
    ["", "The file is empty."],
    ["phone,name\n", "There is no row below the header."],
    ["name,phone\nAsha,+919876543210\n", /^The first line cannot be read/],
    [new Uint8Array([0x50, 0x4b, 3, 4, 0, 0, 0, 0, 0, 0]), /^This is no text/],
  ])("says why a file is none: %j", async (text, message) => {
    const told = await read(text);
    expect(told).toMatchObject({ kind: "refused" });
    if (told.kind === "refused") expect(told.message).toMatch(message);
  });

  it("H10 finds the column that a placeholder may mean", () => {
    expect(nearestColumn("orderId", ["name", "Order ID"])).toBe("Order ID");
    expect(nearestColumn("name", ["Full name"])).toBe("Full name");
    expect(nearestColumn("city", ["name"])).toBeNull();
  });
});

describe("what a campaign will do, in words", () => {
  const now = Date.UTC(2026, 0, 13, 3, 42);

  it("tells hours, days, start and the time there", () => {
    expect(planWords(draft, now)).toBe(
      "Calls go out 10:00–20:00 in Kolkata, every day, from now on. Now it is 09:12 there.",
    );
    const night = {
      ...draft,
      opens: "22:00",
      closes: "02:00",
      startAfter: "2026-01-20T10:00",
      days: ["mon", "tue", "wed"] as Draft["days"],
    };
    // Whether a comma follows the weekday, each version of the dates' language decides by itself.
    expect(planWords(night, now)).toMatch(
      /^Calls go out 22:00–02:00 the next day in Kolkata, Mon–Wed, from Tue,? 20 Jan, 10:00 on\. Now/,
    );
  });

  it("names days in few words", () => {
    expect(daysWords([])).toBe("on no day");
    expect(daysWords(["mon", "wed"])).toBe("Mon, Wed");
    expect(daysWords(["thu", "fri"])).toBe("Thu, Fri");
    expect(daysWords(["fri", "thu", "sat"])).toBe("Thu–Sat");
  });

  it("H4 sends only what an edit changes, and pairs as pairs", () => {
    expect(changesOf(draft, draft)).toEqual({});
    expect(changesOf(draft, { ...draft, closes: "18:00" })).toEqual({ start: 1000, end: 1800 });
    expect(changesOf(draft, { ...draft, agent: "agt_2" })).toEqual({
      agent: "agt_2",
      from: "num_1",
    });
    expect(changesOf(draft, { ...draft, intervals: [60] })).toEqual({ intervals: [HOUR] });
  });
});

describe("times", () => {
  it("H12 goes from a zone's local time to its instant and back, over a change of clocks", () => {
    expect(instantOf("2026-07-01T10:00", "Europe/Berlin")).toBe(Date.UTC(2026, 6, 1, 8));
    expect(instantOf("2026-01-01T10:00", "Europe/Berlin")).toBe(Date.UTC(2026, 0, 1, 9));
    // 02:30 does not exist on that day: the clocks go from 02:00 to 03:00.
    expect(instantOf("2026-03-29T02:30", "Europe/Berlin")).toBe(Date.UTC(2026, 2, 29, 1, 30));
    expect(instantOf("nonsense", "Europe/Berlin")).toBeNull();
    for (const zone of ["Asia/Kolkata", "Asia/Kathmandu", "America/New_York"]) {
      const at = Date.UTC(2026, 10, 29, 12, 15);
      expect(instantOf(localText(at, zone), zone)).toBe(at);
    }
  });

  it("names the day as it is there, not here", () => {
    const now = Date.UTC(2026, 0, 13, 20);
    expect(dayAndTime(now + HOUR, "UTC", now)).toBe("today 21:00");
    expect(dayAndTime(now + HOUR, "Asia/Kolkata", now)).toBe("today 02:30");
    expect(dayAndTime(now - 4 * HOUR, "Asia/Kolkata", now)).toBe("yesterday 21:30");
    expect(dayAndTime(now + 30 * HOUR, "UTC", now)).toBe("Thu 02:00");
    expect(dayAndTime(Date.UTC(2027, 1, 1, 9), "UTC", now)).toBe("1 Feb 2027 09:00");
  });

  it.each([
    [400, "now"],
    [40_000, "in 40 s"],
    [-12 * MINUTE, "12 min ago"],
    [90 * MINUTE, "in 1 h 30 min"],
    [-3 * 24 * HOUR, "3 days ago"],
  ])("tells a distance of %i ms as %s", (distance, words) => {
    expect(relative(1_000_000 + distance, 1_000_000)).toBe(words);
  });

  it("rounds to what can be said", () => {
    expect([0, 59_400, 59_700, 12 * HOUR].map(roughly)).toEqual(["1 s", "59 s", "60 s", "12 h"]);
  });
});

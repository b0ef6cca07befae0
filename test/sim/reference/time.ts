/*
 * Calling hours from the handbook's text (H12, H15), slow and obvious: a clock face that is read
 * minute by minute. Shares no code with the product.
 */

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** Minutes of the local day; `closes` may pass midnight. Weekdays count from Monday, 0. */
export type Opening = { opens: number; closes: number; days: readonly number[]; zone: string };

type Face = { format: Intl.DateTimeFormat; offsets: Map<number, number> };
const faces = new Map<string, Face>();

/** What the zone's clock shows at an instant, as if it were UTC, ms. */
export function clockAt(zone: string, at: number): number {
  let face = faces.get(zone);
  if (face === undefined) {
    const format = new Intl.DateTimeFormat("en-US", {
      timeZone: zone,
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
    face = { format, offsets: new Map() };
    faces.set(zone, face);
  }
  // Clocks are set on whole quarters of an hour.
  const quarter = Math.floor(at / (15 * MINUTE));
  let offset = face.offsets.get(quarter);
  if (offset === undefined) {
    const start = quarter * 15 * MINUTE;
    const part: Record<string, number> = {};
    for (const { type, value } of face.format.formatToParts(start)) part[type] = Number(value);
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = part;
    offset = Date.UTC(year, month - 1, day, hour, minute, second) - start;
    face.offsets.set(quarter, offset);
  }
  return at + offset;
}

const firsts = new Map<string, number>();

/** The first instant at which the clock shows this day and minute or more: found by looking at it. */
function firstTime(zone: string, day: number, minute: number): number {
  const shown = day * DAY + minute * MINUTE;
  const key = `${zone} ${shown}`;
  let at = firsts.get(key);
  if (at === undefined) {
    at = shown - 15 * 60 * MINUTE;
    while (clockAt(zone, at) < shown) at += MINUTE;
    firsts.set(key, at);
  }
  return at;
}

const opens = new Map<string, boolean>();

/** Whether calls may be dialled at an instant. */
export function isOpen(opening: Opening, at: number): boolean {
  // Hours begin and end on whole minutes: within one nothing changes.
  const key = `${opening.zone} ${opening.opens} ${opening.closes} ${opening.days.join()} ${Math.floor(at / MINUTE)}`;
  let open = opens.get(key);
  if (open === undefined) {
    if (opens.size > 200_000) opens.clear();
    open = look(opening, at);
    opens.set(key, open);
  }
  return open;
}

function look({ opens, closes, days, zone }: Opening, at: number): boolean {
  const whole = closes - opens >= 24 * 60;
  const from = whole ? 0 : opens;
  const to = whole ? 24 * 60 : closes;
  const today = Math.floor(clockAt(zone, at) / DAY);
  for (let day = today - 3; day <= today; day++) {
    // 1 January 1970 was a Thursday.
    if (!days.includes((day + 3) % 7)) continue;
    if (firstTime(zone, day, from) <= at && at < firstTime(zone, day, to)) return true;
  }
  return false;
}

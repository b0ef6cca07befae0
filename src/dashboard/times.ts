const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

export const HOME_ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;

const formats = new Map<string, Intl.DateTimeFormat>();

function format(zone: string, name: string, options: Intl.DateTimeFormatOptions) {
  const key = `${zone} ${name}`;
  const known = formats.get(key);
  if (known !== undefined) return known;
  const fresh = new Intl.DateTimeFormat("en-GB", { ...options, timeZone: zone });
  formats.set(key, fresh);
  return fresh;
}

const HOUR_MINUTE = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" } as const;

/** `14:05` */
export function clockTime(at: number, zone: string): string {
  return format(zone, "time", HOUR_MINUTE).format(at);
}

/** `14:05:09` */
export function clockSeconds(at: number, zone: string): string {
  return format(zone, "seconds", { ...HOUR_MINUTE, second: "2-digit" }).format(at);
}

/** `28 Nov`, with the year where it is another one. */
export function calendarDay(at: number, zone: string, now: number): string {
  const day = format(zone, "day", { day: "numeric", month: "short" });
  const year = format(zone, "year", { year: "numeric" });
  const text = day.format(at);
  return year.format(at) === year.format(now) ? text : `${text} ${year.format(at)}`;
}

/** `today 14:05`, `tomorrow 10:00`, `Tue 10:00`, `12 Dec 10:00` */
export function dayAndTime(at: number, zone: string, now: number): string {
  const days = dayNumber(at, zone) - dayNumber(now, zone);
  const time = clockTime(at, zone);
  if (days === 0) return `today ${time}`;
  if (days === 1) return `tomorrow ${time}`;
  if (days === -1) return `yesterday ${time}`;
  if (days > 1 && days < 7)
    return `${format(zone, "weekday", { weekday: "short" }).format(at)} ${time}`;
  return `${calendarDay(at, zone, now)} ${time}`;
}

/** The whole instant with its zone: for whoever points at a time. */
export function wholeTime(at: number, zone: string): string {
  const options = { dateStyle: "full", timeStyle: "long" } as const;
  return `${format(zone, "whole", options).format(at)} (${zoneName(zone)})`;
}

/** `in 12 min`, `3 min ago`, `in 40 s` */
export function relative(at: number, now: number): string {
  const distance = at - now;
  const text = roughly(Math.abs(distance));
  if (Math.abs(distance) < 1_500) return "now";
  return distance > 0 ? `in ${text}` : `${text} ago`;
}

/** `40 s`, `12 min`, `3 h`, `5 days` */
export function roughly(ms: number): string {
  if (ms < MINUTE_MS) return `${Math.max(1, Math.round(ms / 1_000))} s`;
  if (ms < HOUR_MS) return `${Math.round(ms / MINUTE_MS)} min`;
  if (ms < 2 * DAY_MS) {
    const hours = Math.floor(ms / HOUR_MS);
    const minutes = Math.round((ms - hours * HOUR_MS) / MINUTE_MS);
    return minutes === 0 || hours > 9 ? `${hours} h` : `${hours} h ${minutes} min`;
  }
  return `${Math.round(ms / DAY_MS)} days`;
}

/** `0:35`, `12:07`, `1:02:40` */
export function length(ms: number): string {
  const seconds = Math.round(ms / 1_000);
  const two = (value: number) => String(value).padStart(2, "0");
  const hours = Math.floor(seconds / 3_600);
  const minutes = Math.floor(seconds / 60) % 60;
  const tail = two(seconds % 60);
  return hours === 0 ? `${minutes}:${tail}` : `${hours}:${two(minutes)}:${tail}`;
}

/** `10:00` of 1000; past 2400 it is the next day. */
export function hourText(hhmm: number): string {
  const hours = Math.floor(hhmm / 100);
  const minutes = String(hhmm % 100).padStart(2, "0");
  if (hhmm === 2400) return "24:00";
  return `${String(hours % 24).padStart(2, "0")}:${minutes}`;
}

/** `Kolkata` of `Asia/Kolkata` */
export function zoneName(zone: string): string {
  return (zone.split("/").at(-1) ?? zone).replaceAll("_", " ");
}

/** Minutes by which a zone's clocks are ahead of UTC at an instant. */
export function offsetMinutes(zone: string, at: number): number {
  const parts = format(zone, "parts", {
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hourCycle: "h23",
  }).formatToParts(at);
  const value = (type: string) => Number(parts.find((part) => part.type === type)?.value);
  const local = Date.UTC(
    value("year"),
    value("month") - 1,
    value("day"),
    value("hour"),
    value("minute"),
    value("second"),
  );
  return Math.round((local - at) / MINUTE_MS);
}

/** The instant of a zone's local time; one that clocks jump over is as much later as they jump. */
export function instantOf(local: string, zone: string): number | null {
  const plain = Date.parse(`${local.length === 16 ? `${local}:00` : local}Z`);
  if (Number.isNaN(plain)) return null;
  const guess = plain - offsetMinutes(zone, plain) * MINUTE_MS;
  return plain - offsetMinutes(zone, guess) * MINUTE_MS;
}

/** The local time of an instant, as inputs of dates hold it: `2026-11-28T14:05`. */
export function localText(at: number, zone: string): string {
  return new Date(at + offsetMinutes(zone, at) * MINUTE_MS).toISOString().slice(0, 16);
}

function dayNumber(at: number, zone: string): number {
  return Math.floor((at + offsetMinutes(zone, at) * MINUTE_MS) / DAY_MS);
}

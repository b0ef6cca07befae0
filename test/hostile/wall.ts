const MINUTE = 60_000;
const DAY_MIN = 1440;
const HOUR_MIN = 60;

/** What the clocks of a zone show, known from `Intl.DateTimeFormat` alone. Minutes since 1970, local. */
export class Clock {
  readonly #format: Intl.DateTimeFormat;

  constructor(timezone: string) {
    this.#format = new Intl.DateTimeFormat("en-US", {
      timeZone: timezone,
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
    });
  }

  shows(at: number): number {
    const [month = 0, day = 0, year = 0, hour = 0, minute = 0] = this.#format
      .format(at)
      .split(/\D+/)
      .map(Number);
    return Date.UTC(year, month - 1, day, hour, minute) / MINUTE;
  }

  /** The minutes at which the clocks were set, between two instants, found by looking every few days. */
  changes(from: number, to: number): number[] {
    const STEP = 7 * DAY_MIN * MINUTE;
    const ahead = (at: number) => this.shows(at) - at / MINUTE;
    const found: number[] = [];
    for (let at = from; at < to; at += STEP) {
      if (ahead(at) === ahead(at + STEP)) continue;
      let [before, after] = [at, at + STEP];
      while (after - before > MINUTE) {
        const middle = before + Math.floor((after - before) / MINUTE / 2) * MINUTE;
        if (ahead(middle) === ahead(at)) before = middle;
        else after = middle;
      }
      found.push(after);
    }
    return found;
  }
}

/** A window as people say it: minutes of the local day, and the days on which it opens, Monday first. */
export type Said = { opens: number; closes: number; days: boolean[] };

/**
 * The slow second opinion on calling hours: for every minute of a stretch, whether they are open.
 * A local time is the first minute at which the clocks show it or, when they jump over it, more.
 */
export class Wall {
  readonly from: number;
  readonly minutes: number;
  readonly #shown: Int32Array;
  /** The most that was shown so far: it only grows, so that a first time can be searched for. */
  readonly #most: Int32Array;

  constructor(clock: Clock, from: number, to: number, everyMinute: boolean) {
    this.from = from;
    this.minutes = (to - from) / MINUTE;
    this.#shown = new Int32Array(this.minutes);
    if (everyMinute) {
      for (let n = 0; n < this.minutes; n++) this.#shown[n] = clock.shows(from + n * MINUTE);
    } else {
      for (let n = 0; n < this.minutes; n += HOUR_MIN) this.#readHour(clock, n);
    }
    this.#most = this.#shown.slice();
    for (let n = 1; n < this.minutes; n++) {
      this.#most[n] = Math.max(this.#most[n - 1] ?? 0, this.#most[n] ?? 0);
    }
  }

  /** Within an hour clocks are set once at most: where its ends fit, the minutes between them do. */
  #readHour(clock: Clock, first: number) {
    const last = Math.min(first + HOUR_MIN, this.minutes) - 1;
    const start = clock.shows(this.from + first * MINUTE);
    const steady = clock.shows(this.from + last * MINUTE) === start + last - first;
    for (let n = first; n <= last; n++) {
      this.#shown[n] = steady ? start + n - first : clock.shows(this.from + n * MINUTE);
    }
  }

  /** Whether the hours are open, for every minute; the first five days lack what opened before them. */
  open({ opens, closes, days }: Said): Uint8Array {
    const open = new Uint8Array(this.minutes);
    const around = closes - opens >= DAY_MIN;
    const firstDay = Math.floor((this.#shown[0] ?? 0) / DAY_MIN);
    const lastDay = Math.floor((this.#most.at(-1) ?? 0) / DAY_MIN);
    for (let day = firstDay; day <= lastDay; day++) {
      if (days[(new Date(day * DAY_MIN * MINUTE).getUTCDay() + 6) % 7] !== true) continue;
      const from = this.#first(day * DAY_MIN + (around ? 0 : opens));
      const to = this.#first(day * DAY_MIN + (around ? DAY_MIN : closes));
      open.fill(1, from, to);
    }
    return open;
  }

  #first(local: number): number {
    let [low, high] = [0, this.minutes];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#most[middle] ?? 0) >= local) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

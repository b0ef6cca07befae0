import { createHmac } from "node:crypto";
import * as http from "node:http";
import * as https from "node:https";

/** The header that proves a report: `t=<epoch ms>,v1=<hex HMAC-SHA256 of "<t>.<body>">`. */
export const SIGNATURE_HEADER = "x-simulator-signature";
const ANSWER_MAX_MS = 30_000;
const SOCKETS_MAX = 64;

/** Counts since the start or the last reset. */
export type ReportCounts = {
  /** Requests made, repetitions included, forgeries not. */
  sent: number;
  /** Reports answered with a 2xx. */
  delivered: number;
  /** Requests that failed or were answered otherwise. */
  failed: number;
  /** Reports given up after the last repetition. */
  abandoned: number;
  /** Reports on their way or waiting to be repeated. */
  pending: number;
  /** Requests with a wrong signature. */
  forged: number;
};

export type Report = {
  url: string;
  body: string;
  /** Waits before each repetition, ms. */
  retriesMs: readonly number[];
  /** A body with a wrong signature that is sent before it. */
  forgedBody: string | null;
  /** Nothing is sent before this is over. */
  after: Promise<void> | null;
};

/** `tried`: the first request is over; `settled`: delivered or given up. */
export type Sending = { tried: Promise<void>; settled: Promise<void> };

/** Sends signed reports and repeats what does not get through. */
export class Reporter {
  readonly secret: string;
  counts: ReportCounts = noCounts();
  private readonly agents = {
    "http:": new http.Agent({ keepAlive: true, maxSockets: SOCKETS_MAX }),
    "https:": new https.Agent({ keepAlive: true, maxSockets: SOCKETS_MAX }),
  };
  private generation = 0;

  constructor(secret: string) {
    this.secret = secret;
  }

  /** Drops what waits to be repeated, and counts from 0. */
  reset(): void {
    this.generation += 1;
    this.counts = noCounts();
  }

  send(report: Report): Sending {
    const counts = this.counts;
    const generation = this.generation;
    counts.pending += 1;
    const first = this.tryFirst(report);
    const settle = async (): Promise<void> => {
      let arrived = await first;
      for (const waitMs of report.retriesMs) {
        if (arrived || generation !== this.generation) break;
        await sleep(waitMs);
        if (generation !== this.generation) break;
        arrived = await this.request(report.url, report.body, this.secret);
      }
      counts.pending -= 1;
      if (arrived) counts.delivered += 1;
      else counts.abandoned += 1;
    };
    return { tried: first.then(() => {}), settled: settle() };
  }

  private async tryFirst(report: Report): Promise<boolean> {
    if (report.after !== null) await report.after;
    if (report.forgedBody !== null) {
      this.counts.forged += 1;
      await this.post(report.url, report.forgedBody, `not ${this.secret}`, false);
    }
    return this.request(report.url, report.body, this.secret);
  }

  /** Whether the answer was a 2xx. Signed anew each time: a signature is good for five minutes only. */
  private async request(url: string, body: string, secret: string): Promise<boolean> {
    const counts = this.counts;
    counts.sent += 1;
    const arrived = await this.post(url, body, secret, false);
    if (!arrived) counts.failed += 1;
    return arrived;
  }

  private post(url: string, body: string, secret: string, again: boolean): Promise<boolean> {
    const at = Date.now();
    const signature = createHmac("sha256", secret).update(`${at}.`).update(body).digest("hex");
    const target = new URL(url);
    const secure = target.protocol === "https:";
    return new Promise((resolve) => {
      const request = (secure ? https : http).request(target, {
        method: "POST",
        agent: this.agents[secure ? "https:" : "http:"],
        timeout: ANSWER_MAX_MS,
        headers: {
          "content-type": "application/json",
          "content-length": Buffer.byteLength(body),
          [SIGNATURE_HEADER]: `t=${at},v1=${signature}`,
        },
      });
      request.on("response", (response) => {
        const status = response.statusCode ?? 0;
        response.on("close", () => resolve(status >= 200 && status < 300));
        response.on("error", () => {});
        response.resume();
      });
      request.on("timeout", () => request.destroy());
      request.on("error", (error: NodeJS.ErrnoException) => {
        // The other side closed an idle connection just as it was used again: not its answer.
        if (request.reusedSocket && error.code === "ECONNRESET" && !again) {
          resolve(this.post(url, body, secret, true));
        } else resolve(false);
      });
      request.end(body);
    });
  }
}

function noCounts(): ReportCounts {
  return { sent: 0, delivered: 0, failed: 0, abandoned: 0, pending: 0, forged: 0 };
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

import type { QueryClient } from "@tanstack/react-query";
import { useEffect, useSyncExternalStore } from "react";
import { type Patch, WATCHED_TASKS_MAX } from "../core/live.ts";
import { ApiError, call, chosenWorkspace, Unreachable } from "./api.ts";
import { apply, forget } from "./patches.ts";

/**
 * How what is shown stays true (H34):
 *
 *   connecting ──snapshot──▶ live ──socket lost──▶ polling (asks every few seconds, and says so)
 *        ▲                    ▲                       │ nobody answers
 *        └── page shown again └──── next try works ───┴─▶ offline
 */
export type LiveState = "connecting" | "live" | "polling" | "offline";

/** Between two tries to open the socket, ms: doubles up to the second. */
const RETRY_MS = [1_000, 30_000] as const;
/** A page that nobody looks at lets its socket go after so long, ms. */
const UNSEEN_MS = 60_000;
const PING_MS = 20_000;
/** A socket that says nothing for so long, pings answered included, is dead, ms. */
const SILENT_MS = 45_000;
/** Rows that scroll past are not worth a message, ms. */
const WATCH_MS = 150;
/** Close code of the Dialer's: ask for another ticket. */
const TIME_IS_UP = 4001;
/** What the API answers to whoever may not look. */
const REFUSED = [401, 403, 404];

type Look = { campaign: string | null; tasks: readonly string[] };

let state: LiveState = "connecting";
const listeners = new Set<() => void>();
const looks = new Map<object, Look>();
let socket: WebSocket | null = null;
let watchTimer: ReturnType<typeof setTimeout> | undefined;
let watched = "";
let watchedTasks: readonly string[] = [];

export function liveState(): LiveState {
  return state;
}

export function useLiveState(): LiveState {
  return useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, liveState);
}

/** Says what the page looks at while it is there: a campaign's calls, and tasks on the screen. */
export function useWatch(campaign: string | null, tasks: readonly string[]): void {
  const key = tasks.join(" ");
  useEffect(() => {
    const token = {};
    looks.set(token, { campaign, tasks: key === "" ? [] : key.split(" ") });
    tellWatch();
    return () => {
      looks.delete(token);
      tellWatch();
    };
  }, [campaign, key]);
}

/** Keeps the socket of the chosen workspace open, and what was read up to date; gives the way to end it. */
export function keepLive(client: QueryClient): () => void {
  const keeper = new Keeper(client);
  return () => keeper.end();
}

function tellWatch(): void {
  if (watchTimer !== undefined) return;
  watchTimer = setTimeout(() => {
    watchTimer = undefined;
    if (socket?.readyState !== WebSocket.OPEN) return;
    const campaign = [...looks.values()].find((look) => look.campaign !== null)?.campaign ?? null;
    const all = [...new Set([...looks.values()].flatMap((look) => look.tasks))];
    const tasks = all.slice(0, WATCHED_TASKS_MAX);
    const text = JSON.stringify({ campaign, tasks });
    if (text === watched) return;
    watched = text;
    watchedTasks = tasks;
    socket.send(text);
  }, WATCH_MS);
}

function setState(next: LiveState): void {
  if (state === next) return;
  state = next;
  for (const listener of listeners) listener();
}

class Keeper {
  readonly #client: QueryClient;
  readonly #beat: ReturnType<typeof setInterval>;
  #socket: WebSocket | null = null;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #unseen: ReturnType<typeof setTimeout> | undefined;
  #failures = 0;
  #heardAt = 0;
  #ended = false;

  constructor(client: QueryClient) {
    this.#client = client;
    setState("connecting");
    document.addEventListener("visibilitychange", this.#seen);
    addEventListener("online", this.#again);
    addEventListener("offline", this.#lost);
    this.#beat = setInterval(() => this.#ping(), PING_MS);
    void this.#open();
  }

  end(): void {
    this.#ended = true;
    document.removeEventListener("visibilitychange", this.#seen);
    removeEventListener("online", this.#again);
    removeEventListener("offline", this.#lost);
    clearInterval(this.#beat);
    clearTimeout(this.#retry);
    clearTimeout(this.#unseen);
    this.#drop();
  }

  async #open(): Promise<void> {
    clearTimeout(this.#retry);
    this.#drop();
    let opened: WebSocket;
    try {
      const { url } = await call("POST /v1/live", {});
      if (this.#ended) return;
      const { pathname, search } = new URL(url);
      opened = new WebSocket(`${location.origin.replace(/^http/, "ws")}${pathname}${search}`);
    } catch (error) {
      if (!this.#ended) this.#fail(error instanceof Unreachable ? "offline" : "polling", error);
      return;
    }
    this.#socket = opened;
    opened.onopen = () => {
      socket = opened;
      watched = "";
      watchedTasks = [];
      this.#heardAt = Date.now();
      tellWatch();
    };
    opened.onmessage = ({ data }) => this.#hear(String(data));
    opened.onclose = ({ code }) => {
      if (this.#socket !== opened) return;
      this.#drop();
      if (code === TIME_IS_UP) void this.#open();
      else this.#fail("polling", null);
    };
  }

  #hear(text: string): void {
    this.#heardAt = Date.now();
    if (text === "pong") return;
    const patch = JSON.parse(text) as Patch;
    const began = patch.kind === "snapshot" && state !== "live";
    this.#failures = 0;
    setState("live");
    apply(this.#client, patch, watchedTasks);
    // What changed while nobody told is read once.
    if (began) void this.#client.invalidateQueries({ queryKey: [chosenWorkspace()] });
  }

  /** Asks as long as nobody tells; whoever may not look is not tried again. */
  #fail(next: LiveState, error: unknown): void {
    forget();
    setState(next);
    void this.#client.invalidateQueries({ queryKey: [chosenWorkspace()] });
    if (error instanceof ApiError && REFUSED.includes(error.status)) return;
    const [first, most] = RETRY_MS;
    const wait = Math.min(most, first * 2 ** this.#failures) * (0.75 + Math.random() / 2);
    this.#failures += 1;
    this.#retry = setTimeout(() => void this.#open(), wait);
  }

  #drop(): void {
    const old = this.#socket;
    this.#socket = null;
    if (socket === old) socket = null;
    old?.close();
  }

  #ping(): void {
    if (this.#socket?.readyState !== WebSocket.OPEN) return;
    if (Date.now() - this.#heardAt > SILENT_MS) {
      this.#drop();
      this.#fail("polling", null);
    } else this.#socket.send("ping");
  }

  #again = (): void => {
    this.#failures = 0;
    void this.#open();
  };

  #lost = (): void => {
    clearTimeout(this.#retry);
    this.#drop();
    forget();
    setState("offline");
  };

  #seen = (): void => {
    clearTimeout(this.#unseen);
    if (document.hidden) {
      this.#unseen = setTimeout(() => {
        clearTimeout(this.#retry);
        this.#drop();
        forget();
        setState("connecting");
      }, UNSEEN_MS);
    } else if (this.#socket === null && state === "connecting") this.#again();
  };
}

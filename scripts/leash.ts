/**
 * Loaded first (`node --import`) into the processes that a script starts: ends them in order when
 * their standard input ends, since whoever started them is gone then, however it died.
 */
import type { Socket } from "node:net";

const input = process.stdin as unknown as Socket;
input.on("end", () => process.kill(process.pid, "SIGTERM")).resume();
// A process that is done may end by itself.
input.unref();

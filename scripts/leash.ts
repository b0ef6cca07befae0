/**
 * Loaded first (`node --import`) into the processes that a script starts: ends them in order when
 * their standard input ends, since whoever started them is gone then, however it died.
 */
process.stdin.on("end", () => process.kill(process.pid, "SIGTERM")).resume();

/** Preloaded into a pod: how long is the main thread's longest turn? SIGUSR2 prints what was seen since the last one. */
let longestMs = 0;
let longestCpuMs = 0;
let turns = 0;

/** Turns all the time, so that every stretch between two of its calls is one turn of the loop. */
function turn(since: number, cpuSince: NodeJS.CpuUsage): void {
  const now = performance.now();
  const cpu = process.threadCpuUsage(cpuSince);
  longestMs = Math.max(longestMs, now - since);
  longestCpuMs = Math.max(longestCpuMs, (cpu.user + cpu.system) / 1000);
  turns += 1;
  const start = performance.now();
  const cpuStart = process.threadCpuUsage();
  setImmediate(() => turn(start, cpuStart)).unref();
}

turn(performance.now(), process.threadCpuUsage());
process.on('SIGUSR2', () => {
  process.stderr.write(`${JSON.stringify({ longestMs, longestCpuMs, turns })}\n`);
  longestMs = 0;
  longestCpuMs = 0;
  turns = 0;
});

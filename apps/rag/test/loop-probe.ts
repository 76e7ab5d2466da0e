/** Preloaded into a pod: how long is the main thread's longest turn? SIGUSR2 prints what was seen since the last one. */
import { monitorEventLoopDelay } from 'node:perf_hooks';

/** Wall time: how late a timer of one millisecond comes at worst. What other threads and programs take of the cores is in it. */
const RESOLUTION_MS = 1;
const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
delays.enable();

/** CPU time: of the main thread between two turns of the loop; waiting for something to do costs none. */
let longestCpuMs = 0;
let turns = 0;

function turn(since: NodeJS.CpuUsage): void {
  const { user, system } = process.threadCpuUsage(since);
  longestCpuMs = Math.max(longestCpuMs, (user + system) / 1000);
  turns += 1;
  const start = process.threadCpuUsage();
  setImmediate(() => turn(start)).unref();
}

turn(process.threadCpuUsage());
process.on('SIGUSR2', () => {
  const longestMs = Math.max(0, delays.max / 1e6 - RESOLUTION_MS);
  process.stderr.write(`${JSON.stringify({ longestMs, longestCpuMs, turns })}\n`);
  delays.reset();
  longestCpuMs = 0;
  turns = 0;
});

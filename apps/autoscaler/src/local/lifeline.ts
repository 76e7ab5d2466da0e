/**
 * What becomes of a child process when its parent is gone, even if that was killed? It ends as if it had been told to. Loaded before the child's
 * program (`--import`); its standard input comes from the parent, who never writes to it.
 */
import { isMainThread } from 'node:worker_threads';

/** What is in flight may take this long; nobody is there any more to wait for longer. */
const GRACE_MS = 10_000;

function end(): void {
  // What is still said reaches nobody, which must not end it sooner.
  for (const output of [process.stdout, process.stderr]) output.on('error', () => undefined);
  setTimeout(() => process.exit(1), GRACE_MS).unref();
  process.kill(process.pid, 'SIGTERM');
}

// Threads of the child load what the child loaded.
if (isMainThread) {
  process.stdin.on('error', () => undefined);
  process.stdin.once('close', end);
  process.stdin.resume();
  // It may end while its parent lives.
  process.stdin.unref();
}

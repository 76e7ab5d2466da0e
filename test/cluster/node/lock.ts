/** Who works on a cluster? One command at a time: the others wait. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Layout } from './layout.ts';

const PAUSE_MS = 200;

/** As long as this process lives, or until it is disposed of. Another process that holds it may build programs, which takes minutes. */
export async function locked(layout: Layout): Promise<Disposable> {
  for (let isFirst = true; ; isFirst = false) {
    const lock = createServer().unref();
    try {
      // A name that is no file: Linux forgets it with the process.
      lock.listen(`\0ragscale-cluster:${layout.name}`);
      await once(lock, 'listening');
      return { [Symbol.dispose]: () => void lock.close() };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
      if (isFirst) console.log(`another command works on the cluster '${layout.name}'; waiting for it`);
      await delay(PAUSE_MS);
    }
  }
}

/**
 * Who may write a file that several processes want? The one with the lock that Python's `filelock` takes as well: flock(2) on a file
 * beside. The system releases it when its process ends, however it ends.
 */
import { type FileHandle, mkdir, open, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Sleep } from './patience.ts';

/** From <sys/file.h>, the same on Linux and macOS. */
const LOCK_EX_NB = 2 | 4;
const RETRY_MS = 200;

/** Does not wait. */
type Flock = (fd: number) => Outcome;
/** `none`: there are no locks here. */
type Outcome = 'held' | 'taken' | 'none';

/**
 * Runs `work` under the lock, or without it where there is none (Windows, file systems without flock). @param work is told whether it
 * is alone
 */
export async function withLock<T>(
  file: string,
  work: (alone: boolean) => Promise<T>,
  { sleep, signal }: { sleep: Sleep; signal?: AbortSignal | undefined },
): Promise<T> {
  const flock = await loadFlock();
  if (flock === undefined) return work(false);
  await mkdir(path.dirname(file), { recursive: true });
  for (;;) {
    signal?.throwIfAborted();
    const handle = await open(file, 'a', 0o664);
    try {
      const outcome = await tryLock(flock, handle, file);
      if (outcome === 'none') return await work(false);
      if (outcome === 'held') return await work(true);
    } finally {
      // Closing releases it. The file stays: removing it would let a third one lock another file of the same name.
      await handle.close();
    }
    await sleep(RETRY_MS, signal);
  }
}

async function tryLock(flock: Flock, handle: FileHandle, file: string): Promise<Outcome> {
  const outcome = flock(handle.fd);
  if (outcome !== 'held') return outcome;
  // Python removes the file when it is done: then the lock is on a file that nobody else will find.
  const [mine, found] = [await handle.stat(), await stat(file).catch(() => undefined)];
  return found?.ino === mine.ino && found.dev === mine.dev ? 'held' : 'taken';
}

let loaded: Promise<Flock | undefined> | undefined;

function loadFlock(): Promise<Flock | undefined> {
  loaded ??= import('koffi')
    .then(
      ({ default: koffi }): Flock => {
        const flock = koffi.load(null).func('int flock(int fd, int operation)') as unknown as (
          fd: number,
          how: number,
        ) => number;
        return (fd) => {
          if (flock(fd, LOCK_EX_NB) === 0) return 'held';
          return koffi.errno() === koffi.os.errno.EAGAIN ? 'taken' : 'none';
        };
      },
      () => undefined,
    )
    .catch(() => undefined);
  return loaded;
}

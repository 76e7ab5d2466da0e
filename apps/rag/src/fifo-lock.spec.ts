import { describe, expect, it } from 'vitest';
import { FifoLock } from './fifo-lock.ts';

const never = new AbortController().signal;

function create() {
  const changes: string[] = [];
  return { changes, lock: new FifoLock((waiting, running) => changes.push(`${waiting} waiting, ${running} running`)) };
}

describe('the lock', () => {
  it('passes from one to the next in order, and lets nobody in between', async () => {
    const { lock } = create();
    const order: number[] = [];
    const release = await lock.acquire(never);
    const turns = [1, 2, 3].map(async (number) => {
      const done = await lock.acquire(never);
      order.push(number);
      await Promise.resolve();
      done();
    });
    release();
    const late = lock.acquire(never).then((done) => {
      order.push(4);
      done();
    });
    await Promise.all([...turns, late]);
    expect(order).toEqual([1, 2, 3, 4]);
  });

  it('lets those who give up go, and only those', async () => {
    const { lock, changes } = create();
    const release = await lock.acquire(never);
    const leaving = new AbortController();
    const gone = lock.acquire(leaving.signal);
    const stays = lock.acquire(never);
    leaving.abort(new Error('gone'));
    await expect(gone).rejects.toThrow('gone');
    release();
    release();
    (await stays)();
    expect(changes.at(-1)).toBe('0 waiting, 0 running');
    await expect(lock.acquire(leaving.signal)).rejects.toThrow('gone');
  });

  it('belongs to whom it was passed, even if that one gave up a moment later', async () => {
    const { lock, changes } = create();
    const release = await lock.acquire(never);
    const leaving = new AbortController();
    const next = lock.acquire(leaving.signal);
    release();
    leaving.abort();
    (await next)();
    expect(changes.at(-1)).toBe('0 waiting, 0 running');
  });
});

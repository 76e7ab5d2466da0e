import { describe, expect, it, vi } from 'vitest';
import { HandClock, settled } from '../../../test/support/hand-clock.ts';
import { ExpiredVersionError, type Listed, ListWatch, type ListWatchClient, type WatchRequest } from './list-watch.ts';

interface Thing {
  readonly metadata: { readonly name: string; readonly resourceVersion: string };
}

const thing = (name: string, resourceVersion = '1'): Thing => ({ metadata: { name, resourceVersion } });

interface OpenWatch {
  readonly request: WatchRequest<Thing>;
  end(): void;
  fail(error: Error): void;
}

/** A server whose answers the test gives. */
class FakeClient implements ListWatchClient<Thing> {
  items: readonly Thing[] = [];
  version = '1';
  listError: Error | undefined;
  watchError: Error | undefined;
  lists = 0;
  readonly watches: OpenWatch[] = [];

  async list(): Promise<Listed<Thing>> {
    this.lists++;
    if (this.listError) throw this.listError;
    return { items: this.items, resourceVersion: this.version };
  }

  watch(request: WatchRequest<Thing>, signal: AbortSignal): Promise<void> {
    const over = Promise.withResolvers<void>();
    signal.addEventListener('abort', () => over.reject(signal.reason));
    this.watches.push({ request, end: over.resolve, fail: over.reject });
    if (this.watchError) over.reject(this.watchError);
    else request.onOpen();
    return over.promise;
  }

  get current(): OpenWatch {
    return this.watches.at(-1)!;
  }
}

async function started(set: (client: FakeClient) => void = () => undefined) {
  const client = new FakeClient();
  set(client);
  const clock = new HandClock();
  const names: string[][] = [];
  const onTrouble = vi.fn();
  const onRecovered = vi.fn();
  const listWatch = new ListWatch<Thing>({
    client,
    onObjects: (all) => names.push(all.map(({ metadata }) => metadata.name)),
    onTrouble,
    onRecovered,
    clock,
    random: () => 1,
  });
  const running = listWatch.run();
  await settled();
  const pauses = () => onTrouble.mock.calls.map(([, , pause]) => pause as number);
  return { client, clock, names, onTrouble, onRecovered, listWatch, running, pauses };
}

describe('list and watch', () => {
  it('tells the list and every change', async () => {
    const { client, names } = await started((fake) => {
      fake.items = [thing('a')];
    });
    const { onEvent } = client.current.request;
    onEvent({ type: 'ADDED', object: thing('b', '2') });
    onEvent({ type: 'MODIFIED', object: thing('a', '3') });
    onEvent({ type: 'BOOKMARK', resourceVersion: '9' });
    onEvent({ type: 'DELETED', object: thing('a', '10') });
    expect(names).toEqual([['a'], ['a', 'b'], ['a', 'b'], ['b']]);
  });

  it('goes on from the last version when the server ends a watch, without a list and without a pause', async () => {
    const { client, clock, onTrouble } = await started();
    expect(client.current.request).toMatchObject({ resourceVersion: '1', timeoutSeconds: 75 });
    client.current.request.onEvent({ type: 'ADDED', object: thing('a', '5') });
    await clock.advance(30_000);
    client.current.end();
    await settled();
    expect(client.current.request.resourceVersion).toBe('5');
    client.current.request.onEvent({ type: 'BOOKMARK', resourceVersion: '8' });
    await clock.advance(30_000);
    client.current.end();
    await settled();
    expect(client.current.request.resourceVersion).toBe('8');
    expect([client.watches.length, client.lists]).toEqual([3, 1]);
    expect(onTrouble).not.toHaveBeenCalled();
  });

  it('lists anew, at once, when the version has expired', async () => {
    const { client, clock, names, onTrouble } = await started();
    await clock.advance(20_000);
    client.items = [thing('b')];
    client.version = '50';
    client.current.fail(new ExpiredVersionError('too old'));
    await settled();
    expect(client.current.request.resourceVersion).toBe('50');
    expect(names).toEqual([[], ['b']]);
    expect(onTrouble).not.toHaveBeenCalled();
  });

  it('pauses when the version has expired again and again', async () => {
    const { clock, client, onTrouble } = await started((fake) => {
      fake.watchError = new ExpiredVersionError('too old');
    });
    expect(client.lists).toBe(2);
    expect(onTrouble).toHaveBeenCalledTimes(1);
    await clock.advance(60_000);
    expect(client.lists).toBeLessThan(12);
  });

  it('keeps what it has while the server is away, asks ever less often, and lists anew when it is back', async () => {
    const { client, clock, names, onRecovered, pauses } = await started((fake) => {
      fake.items = [thing('a')];
    });
    client.listError = new Error('connection refused');
    client.current.fail(new Error('connection reset'));
    await settled();
    await clock.advance(180_000);
    expect(pauses().slice(0, 9)).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
    expect(names).toEqual([['a']]);
    expect(onRecovered).not.toHaveBeenCalled();
    client.listError = undefined;
    client.items = [thing('a'), thing('b')];
    await clock.advance(30_000);
    expect(names).toEqual([['a'], ['a', 'b']]);
    expect(onRecovered).toHaveBeenCalledTimes(1);
  });

  it('pauses briefly again after a watch that lived', async () => {
    const { client, clock, pauses } = await started();
    client.current.fail(new Error('one'));
    await clock.advance(500);
    client.current.fail(new Error('two'));
    await clock.advance(1_000);
    await clock.advance(20_000);
    client.current.fail(new Error('three'));
    await settled();
    expect(pauses()).toEqual([500, 1000, 500]);
  });

  it('takes a watch that ends at once for a failure', async () => {
    const { client, clock, pauses } = await started();
    client.current.end();
    await clock.advance(500);
    client.current.end();
    await settled();
    expect(pauses()).toEqual([500, 1000]);
  });

  it('gives up a watch that does not end as agreed', async () => {
    const { client, clock, onTrouble } = await started();
    await clock.advance(84_000);
    expect(onTrouble).not.toHaveBeenCalled();
    await clock.advance(2_000);
    expect(onTrouble.mock.calls[0]?.[0]).toMatchObject({ message: expect.stringContaining('the connection is dead') });
    expect(client.lists).toBe(2);
    expect(client.watches).toHaveLength(2);
  });

  it('hears nothing more from a watch that it gave up', async () => {
    const { client, clock, names } = await started();
    const { request } = client.current;
    await clock.advance(86_000);
    const before = names.length;
    request.onEvent({ type: 'ADDED', object: thing('late') });
    expect(names).toHaveLength(before);
  });

  it('lists anew after five minutes in any case', async () => {
    const { client, clock } = await started();
    for (let minute = 0; minute < 6; minute++) {
      await clock.advance(60_000);
      client.current.end();
      await settled();
    }
    expect(client.lists).toBe(2);
  });

  it('is silent after it was stopped', async () => {
    const { client, clock, names, onTrouble, listWatch, running } = await started();
    listWatch.stop();
    await running;
    client.watches[0]?.request.onEvent({ type: 'ADDED', object: thing('late') });
    await clock.advance(600_000);
    expect(names).toEqual([[]]);
    expect(onTrouble).not.toHaveBeenCalled();
    expect([client.lists, client.watches.length]).toEqual([1, 1]);
  });

  it('stops in a pause, too', async () => {
    const { running, listWatch, client } = await started((fake) => {
      fake.listError = new Error('away');
    });
    listWatch.stop();
    await running;
    expect(client.lists).toBe(1);
  });
});

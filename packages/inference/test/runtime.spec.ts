/** Both adapters on ONNX Runtime: the same contract, and a hostile caller. */
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RuntimeError } from '../src/errors.ts';
import { openRuntime } from '../src/open-runtime.ts';
import { OrtCApi, terminateRuns } from '../src/ort-c-api.ts';
import { allocate, type Runtime, type Session, view } from '../src/runtime.ts';
import { writeAddGraph, writeSlowGraph } from './tiny-graph.ts';

let folder: string;
let addGraph: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'ragscale-runtime-'));
  addGraph = await writeAddGraph(folder);
});
afterAll(() => rm(folder, { recursive: true }));

function pair(rows: number, values: readonly number[]) {
  const x = allocate('float32', [rows, 2]);
  x.data.set(values);
  return { x, cache: allocate('float32', [rows, 2]), y: allocate('float32', [rows, 2]) };
}

describe.each(['c-api', 'node-api'] as const)('%s', (name) => {
  let runtime: Runtime;
  let session: Session;
  beforeAll(async () => {
    ({ runtime } = await openRuntime(name));
    session = await runtime.load(addGraph, { threads: 1 });
  });
  afterAll(() => session.release());

  it('says what the graph takes and gives', () => {
    expect(session.inputs).toEqual([
      { name: 'x', type: 'float32', dims: [-1, 2] },
      { name: 'cache', type: 'float32', dims: [-1, 2] },
    ]);
    expect(session.outputs.map(({ name }) => name)).toEqual(['y', 'cache_out']);
  });

  it('writes outputs where their tensors point, and updates a cache in place', async () => {
    const { x, cache, y } = pair(2, [1, 2, 3, 4]);
    const run = session.prepare({ x, cache }, { y, cache_out: cache });
    await run.execute();
    await run.execute();
    expect([...y.data]).toEqual([2, 3, 4, 5]);
    expect([...cache.data]).toEqual([2, 4, 6, 8]);
    run.release();
  });

  it('works on rows of a larger tensor and leaves the others alone', async () => {
    const whole = allocate('float32', [3, 2]);
    const { x, y } = pair(1, [5, 6]);
    const cache = view(whole, [1, 2], 2);
    const run = session.prepare({ x, cache }, { y, cache_out: cache });
    await run.execute();
    run.release();
    expect([...whole.data]).toEqual([0, 0, 5, 6, 0, 0]);
  });

  it('refuses wrong names, types, ranks and sizes, naming the value', () => {
    const { x, cache, y } = pair(1, [1, 2]);
    const ints = allocate('int32', [1, 2]);
    const cases: [Record<string, unknown>, Record<string, unknown>, string][] = [
      [{ x }, { y }, 'input cache is missing'],
      [{ x, cache, z: x }, { y }, 'no input z'],
      [{ x, cache }, { nothing: y }, 'no output nothing'],
      [{ x: ints, cache }, { y }, 'input x is float32, not int32'],
      [{ x: { ...x, dims: [2] }, cache }, { y }, 'input x is [-1,2], not [2]'],
      [{ x: { ...x, dims: [1, 3] }, cache }, { y }, 'input x is [-1,2], not [1,3]'],
      [{ x: { ...x, dims: [9, 2] }, cache }, { y }, '2 elements do not fill [9,2]'],
      [{ x: { ...x, dims: [-1, 2] }, cache }, { y }, '[-1,2] is not a shape'],
      [{ x: { ...x, data: ints.data }, cache }, { y }, 'is not its array type'],
    ];
    for (const [inputs, outputs, message] of cases) {
      expect(() => session.prepare(inputs as never, outputs as never)).toThrow(message);
    }
  });

  it('turns a refusal of the graph itself into an error and goes on', async () => {
    const { x, y } = pair(2, [1, 2, 3, 4]);
    const three = allocate('float32', [3, 2]);
    const bad = session.prepare({ x, cache: three }, { y });
    await expect(async () => bad.execute()).rejects.toThrow(RuntimeError);
    bad.release();
    const good = session.prepare({ x, cache: x }, { y });
    await good.execute();
    good.release();
    expect([...y.data]).toEqual([2, 3, 4, 5]);
  });

  it('refuses an output of the wrong size', async () => {
    const { x, cache } = pair(2, [1, 2, 3, 4]);
    const small = allocate('float32', [1, 2]);
    const run = session.prepare({ x, cache }, { y: small });
    await expect(async () => run.execute()).rejects.toThrow(RuntimeError);
    run.release();
  });

  it('names a missing file, a corrupt one and a truncated one', async () => {
    const corrupt = path.join(folder, 'corrupt.onnx');
    await writeFile(corrupt, Buffer.alloc(1000, 0xab));
    const cut = path.join(folder, `cut-${name}.onnx`);
    await writeAddGraph(folder);
    await writeFile(cut, await import('node:fs/promises').then((fs) => fs.readFile(addGraph)));
    await truncate(cut, 60);
    for (const file of [path.join(folder, 'absent.onnx'), corrupt, cut, folder]) {
      await expect(runtime.load(file, { threads: 1 })).rejects.toThrow(`could not load ${file}`);
    }
  });

  it('refuses what was released, and releasing twice is nothing', async () => {
    const own = await runtime.load(addGraph, { threads: 1 });
    const { x, cache, y } = pair(1, [1, 2]);
    const run = own.prepare({ x, cache }, { y });
    const other = own.prepare({ x, cache }, { y });
    run.release();
    run.release();
    await expect(async () => run.execute()).rejects.toThrow('released');
    own.release();
    own.release();
    await expect(async () => other.execute()).rejects.toThrow('released');
    other.release();
    expect(() => own.prepare({ x, cache }, { y })).toThrow('released');
  });
});

describe('the C API', () => {
  it('keeps memory flat over 10,000 sessions, runs and releases', async () => {
    const runtime = new OrtCApi();
    const cycle = async () => {
      const session = await runtime.load(addGraph, { threads: 1 });
      const { x, cache, y } = pair(2, [1, 2, 3, 4]);
      const run = session.prepare({ x, cache }, { y });
      run.execute();
      const bad = session.prepare({ x, cache: allocate('float32', [3, 2]) }, { y });
      let refused = false;
      try {
        bad.execute();
      } catch {
        refused = true;
      }
      // No `expect` in the loop: what it keeps would be measured too.
      if (!refused || y.data[3] !== 5) throw new Error('a cycle went wrong');
      bad.release();
      run.release();
      session.release();
    };
    for (let i = 0; i < 1000; i++) await cycle();
    const before = process.memoryUsage().rss;
    for (let i = 0; i < 10_000; i++) await cycle();
    // One leaked session holds at least 20 KB, one leaked value 100 bytes: 200 MB and 3 MB. The heap itself breathes by some MB.
    expect((process.memoryUsage().rss - before) / 2 ** 20).toBeLessThan(24);
  });

  it('keeps memory flat over 200,000 runs of a prepared run and 20,000 prepared runs', async () => {
    const session = await new OrtCApi().load(addGraph, { threads: 1 });
    const { x, cache, y } = pair(1, [0, 0]);
    const run = session.prepare({ x, cache }, { y });
    for (let i = 0; i < 20_000; i++) run.execute();
    const before = process.memoryUsage().rss;
    for (let i = 0; i < 200_000; i++) run.execute();
    for (let i = 0; i < 20_000; i++) session.prepare({ x, cache }, { y }).release();
    expect((process.memoryUsage().rss - before) / 2 ** 20).toBeLessThan(24);
    session.release();
  });

  it('does not let memory go while a run needs it', async () => {
    const session = await new OrtCApi().load(addGraph, { threads: 1 });
    const runs = Array.from({ length: 200 }, (_, i) => {
      const { x, cache, y } = pair(1000, Array(2000).fill(i));
      return { run: session.prepare({ x, cache }, { y, cache_out: cache }), y, i };
    });
    // Rubbish, so that the collector runs while only the prepared runs know the inputs.
    for (let i = 0; i < 200; i++) allocate('float32', [100_000]).data.fill(i);
    for (const { run, y, i } of runs) {
      run.execute();
      expect(y.data[1999]).toBe(i + 1);
      run.release();
    }
    session.release();
  });

  it('survives garbage collections: nothing native hangs on a handle that can be collected', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const session = await new OrtCApi().load(addGraph, { threads: 1 });
    const { x, cache, y } = pair(1, [1, 2]);
    for (let i = 0; i < 20; i++) {
      collect();
      await nextTurn();
      const run = session.prepare({ x, cache }, { y });
      collect();
      run.execute();
      run.release();
    }
    expect([...y.data]).toEqual([2, 3]);
    session.release();
  });

  it('refuses memory that was transferred away', async () => {
    const session = await new OrtCApi().load(addGraph, { threads: 1 });
    const { x, cache, y } = pair(1, [1, 2]);
    structuredClone(x.data.buffer, { transfer: [x.data.buffer as ArrayBuffer] });
    expect(() => session.prepare({ x, cache }, { y })).toThrow(RuntimeError);
    session.release();
  });

  it('ends a run in progress from another thread', async () => {
    const graph = await writeSlowGraph(folder, 20_000);
    const source = new URL('../src/ort-c-api.ts', import.meta.url);
    const worker = new Worker(
      `const { parentPort, workerData } = require('node:worker_threads');
       import(workerData.source).then(async ({ OrtCApi }) => {
         const runtime = new OrtCApi();
         const session = await runtime.load(workerData.graph, { threads: 1 });
         const tensor = () => ({ type: 'float32', dims: [512, 512], data: new Float32Array(512 * 512) });
         const run = session.prepare({ x: tensor() }, { y: tensor() });
         parentPort.postMessage({ address: runtime.runOptionsAddress });
         let message = 'ran to its end';
         try { run.execute(); } catch (error) { message = error.message; }
         run.release(); session.release();
         parentPort.postMessage({ message });
       });`,
      { eval: true, workerData: { source: source.href, graph } },
    );
    const [outcome] = await new Promise<string[]>((resolve, reject) => {
      worker.on('error', reject);
      worker.on('message', ({ address, message }: { address?: bigint; message?: string }) => {
        if (address !== undefined) setTimeout(() => terminateRuns(address), 200);
        if (message !== undefined) resolve([message]);
      });
    });
    expect(outcome).toMatch(/could not run: .*terminate/i);
    await worker.terminate();
  });

  it('runs on several threads at once', async () => {
    const source = new URL('../src/ort-c-api.ts', import.meta.url).href;
    const workers = Array.from(
      { length: 4 },
      (_, n) =>
        new Promise<number>((resolve, reject) => {
          const worker = new Worker(
            `const { parentPort, workerData } = require('node:worker_threads');
             import(workerData.source).then(async ({ OrtCApi }) => {
               const session = await new OrtCApi().load(workerData.graph, { threads: 2 });
               const tensor = () => ({ type: 'float32', dims: [64, 2], data: new Float32Array(128).fill(workerData.n) });
               const [x, y, cache] = [tensor(), tensor(), tensor()];
               const run = session.prepare({ x, cache }, { y, cache_out: cache });
               for (let i = 0; i < 5000; i++) run.execute();
               run.release(); session.release();
               parentPort.postMessage(cache.data[127]);
             });`,
            { eval: true, workerData: { source, graph: addGraph, n } },
          );
          worker.on('message', resolve);
          worker.on('error', reject);
        }),
    );
    expect(await Promise.all(workers)).toEqual([0, 1, 2, 3].map((n) => n * 5001));
  });

  it('falls back to the ordinary binding with a reason, and says no when asked for by name', () => {
    expect(() => new OrtCApi('/nowhere/libonnxruntime.so.1')).toThrow("ONNX Runtime's library cannot be opened");
  });
});

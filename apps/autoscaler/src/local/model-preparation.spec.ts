import { beforeEach, describe, expect, it } from 'vitest';
import { FakeProgram } from '../../test/fake-program.ts';
import { ModelPreparation } from './model-preparation.ts';
import type { LogLine, ProgramSpec } from './program.ts';
import { StartError } from './start-error.ts';
import type { SystemEvent } from './system-event.ts';

const LINE: LogLine = { level: 'info', msg: 'building the model', model: 'facebook/opt-125m' };

let program: FakeProgram;
let started: ProgramSpec[];
let told: SystemEvent[];
beforeEach(() => {
  program = new FakeProgram(1);
  started = [];
  told = [];
});

function preparationOf(env: NodeJS.ProcessEnv): ModelPreparation {
  return new ModelPreparation({
    env,
    screen: { tell: (event) => told.push(event) },
    start: (spec, onLine) => {
      started.push(spec);
      onLine(LINE);
      return program;
    },
  });
}

const NAMED = { RAG_GENERATOR: 'facebook/opt-125m', LOG_LEVEL: 'warn' };

describe('models', () => {
  it('of the repository need nothing', async () => {
    await preparationOf({ RAG_EMBEDDER: 'embedded', RAG_GENERATOR: ' ' }).run();
    expect(started).toEqual([]);
  });

  it('that are named are waited for, and what is said of them is shown', async () => {
    let isDone = false;
    const running = preparationOf(NAMED)
      .run()
      .then(() => {
        isDone = true;
      });
    await new Promise((resolve) => setImmediate(resolve));
    expect(isDone).toBe(false);
    expect(started[0]?.env).toMatchObject({
      RAG_GENERATOR: 'facebook/opt-125m',
      LOG_LEVEL: 'info',
      LOG_FORMAT: 'json',
    });
    expect(told).toEqual([{ kind: 'preparing', line: LINE }]);
    program.end(0);
    await running;
  });

  it('that cannot be had are an error in the words of what prepares them', async () => {
    const running = preparationOf(NAMED).run();
    program.end(1, null, 'no such model');
    await expect(running).rejects.toThrow(new StartError('no such model'));
  });

  it('that nobody waits for any more are left as they are', async () => {
    const stopped = preparationOf(NAMED);
    const running = stopped.run();
    await stopped.stop();
    await running;
    expect(program.done).toEqual(['stopped']);
    program = new FakeProgram(2);
    const killed = preparationOf(NAMED);
    const again = killed.run();
    killed.kill();
    await again;
    expect(program.done).toEqual(['killed']);
    await killed.run();
    expect(started).toHaveLength(2);
  });
});

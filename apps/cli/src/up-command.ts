/** `ragscale up`: how is a system started on this computer? */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Command, Option } from 'commander';

/** What is run for each, from the root of the checkout. */
const PROGRAMS = {
  baseline: ['apps/rag/dist/main.js', '--variant', 'baseline'],
  batched: ['apps/rag/dist/main.js', '--variant', 'batched'],
  scaled: ['apps/autoscaler/dist/local/main.js'],
} as const;

type Design = keyof typeof PROGRAMS;

/** Ends a program when its parent is gone. */
const LIFELINE = new URL('../../autoscaler/dist/local/lifeline.js', import.meta.url);

/** npx passes Ctrl-C on to processes that the terminal has sent it to already. */
const SAME_KEYSTROKE_MS = 250;

export class NotBuiltError extends Error {
  override readonly name = 'NotBuiltError';
}

export function upCommand(): Command {
  return new Command('up')
    .description('run a system on this computer until Ctrl-C; it is configured by the environment')
    .addOption(
      new Option(
        '--design <name>',
        'baseline: a pod that answers one question at a time; batched: a pod that answers many; scaled: the proxy, pods and the autoscaler',
      )
        .choices(Object.keys(PROGRAMS))
        .default('scaled'),
    )
    .action(async ({ design }: { design: Design }) => {
      process.exitCode = await run(design);
    });
}

/** @returns the exit code @throws NotBuiltError */
async function run(design: Design): Promise<number> {
  const [program, ...args] = PROGRAMS[design];
  const file = fileURLToPath(new URL(`../../../${program}`, import.meta.url));
  if (![file, fileURLToPath(LIFELINE)].every((each) => existsSync(each)))
    throw new NotBuiltError(`${program} is not built: run npm run build first`);
  // In a group of its own: Ctrl-C reaches it through us, and not twice.
  const child = spawn(process.execPath, ['--import', LIFELINE.href, file, ...args], {
    stdio: ['pipe', 'inherit', 'inherit'],
    detached: true,
    windowsHide: true,
  });
  forwardSignals(child);
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  child.once('error', reject);
  child.once('exit', (code) => resolve(code ?? 1));
  return promise;
}

function forwardSignals(child: ChildProcess): void {
  let last = { signal: '', at: Number.NEGATIVE_INFINITY };
  const forward = (signal: NodeJS.Signals): void => {
    const now = performance.now();
    const isEcho = last.signal === signal && now - last.at < SAME_KEYSTROKE_MS;
    last = { signal, at: now };
    // Not every program knows that a closed terminal means to end in order.
    if (!isEcho) child.kill(signal === 'SIGHUP' ? 'SIGTERM' : signal);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, forward);
}

/** What does a page tell a person to type? Its commands, found in it and run as they stand there, in the repository's root. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { HELM_ENVIRONMENT, type Helm, REPOSITORY, toolPath } from '../../chart/tools.ts';
import { cluster } from './cluster.ts';
import { runProgram } from './run-program.ts';
import { waitFor } from './wait-for.ts';

/** Indented lines that begin with one of these programs; not what is said beside them. */
const COMMAND = /^ {2,}((?:kubectl|helm|curl) .*?)(?: {2,}#.*)?$/gm;
const PORT_MS = 60_000;

/** The one command of a page that is like this, however often it is there. @throws Error when there is none, or several */
export function commandIn(page: string, like: RegExp): string {
  const commands = [...page.matchAll(COMMAND)].map(([, command]) => command as string);
  const found = [...new Set(commands.filter((command) => like.test(command)))];
  if (found.length !== 1) throw new Error(`${found.length} commands like ${like} among\n${commands.join('\n')}`);
  return found[0] as string;
}

/** @returns what it prints @throws Error with its words when it fails */
export async function type(command: string, helm: Helm = 'helm4'): Promise<string> {
  using programs = folderWith(helm);
  const { ok, output, errors } = await runProgram('bash', ['-c', `cd '${REPOSITORY}'; ${command}`], {
    env: environment(programs.folder),
  });
  if (!ok) throw new Error(`${command}: ${errors.trim()}\n${output}`);
  return output;
}

/** A `kubectl port-forward` while something is done. @param port on this computer, which others may have at the moment */
export async function during<T>(command: string, port: number, work: () => Promise<T>): Promise<T> {
  await waitFor(`nobody else has port ${port} of this computer`, async () => !(await accepts(port)), {
    timeoutMs: PORT_MS,
  });
  using programs = folderWith('helm4');
  const env = { ...process.env, ...environment(programs.folder) };
  const child = spawn('bash', ['-c', `exec ${command}`], { env, stdio: 'ignore' });
  try {
    const open = async () => {
      if (child.exitCode !== null) throw new Error(`${command} ended with ${child.exitCode}`);
      return accepts(port);
    };
    await waitFor(`${command} listens on ${port}`, open, { timeoutMs: PORT_MS });
    return await work();
  } finally {
    if (child.exitCode === null && child.kill()) await once(child, 'exit');
  }
}

function environment(programs: string): Record<string, string> {
  return {
    ...HELM_ENVIRONMENT,
    KUBECONFIG: cluster().kubeconfig,
    PATH: `${programs}:${process.env.PATH}`,
  };
}

/** A folder in which one of them is called `helm`. */
function folderWith(helm: Helm): Disposable & { readonly folder: string } {
  const folder = mkdtempSync(path.join(tmpdir(), 'ragscale-path-'));
  symlinkSync(toolPath(helm), path.join(folder, 'helm'));
  return { folder, [Symbol.dispose]: () => rmSync(folder, { recursive: true }) };
}

function accepts(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect({ host: 'localhost', port });
  const tell = (answer: boolean) => {
    socket.destroy();
    resolve(answer);
  };
  socket.once('connect', () => tell(true));
  socket.once('error', () => tell(false));
  return promise;
}

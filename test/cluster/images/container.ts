/** How does a test run an image as a cluster would? By runc, as the image says, with nothing that Pod Security `restricted` forbids. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type ImageConfig, inspect, Unpacked } from './image.ts';

const PATIENCE_MS = 60_000;

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** In place of the image's own. */
  readonly command?: readonly string[];
  /** Mounted read-only: where in the container, and what of this machine. */
  readonly mounts?: Readonly<Record<string, string>>;
}

/** One process, the first of its PID namespace, in the network of this machine. */
export class Container implements Disposable {
  readonly #name = `ragscale-test-${process.pid}-${Math.random().toString(36).slice(2)}`;
  readonly #bundle = mkdtempSync(path.join(tmpdir(), 'ragscale-bundle-'));
  readonly #unpacked: Unpacked;
  readonly #runc: ChildProcess;
  /** What it wrote, to either. */
  output = '';
  /** The exit code, once it has ended. */
  readonly ended: Promise<number | null>;

  constructor(image: string, options: RunOptions = {}) {
    this.#unpacked = new Unpacked(image);
    const specification = specify(inspect(image).config, this.#unpacked.folder, options);
    writeFileSync(path.join(this.#bundle, 'config.json'), JSON.stringify(specification));
    this.#runc = spawn('runc', [...this.#state, 'run', '--bundle', this.#bundle, this.#name], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.#runc.stdout, this.#runc.stderr])
      stream?.setEncoding('utf8').on('data', (part: string) => {
        this.output += part;
      });
    this.ended = once(this.#runc, 'close').then(([code]) => code as number | null);
  }

  /** Resolves when it has written that. */
  async says(words: string): Promise<void> {
    const deadline = performance.now() + PATIENCE_MS;
    let hasEnded = false;
    void this.ended.then(() => {
      hasEnded = true;
    });
    while (!this.output.includes(words)) {
      if (hasEnded || performance.now() > deadline)
        throw new Error(`${hasEnded ? 'ended' : 'late'} without '${words}': ${this.output.slice(-2_000)}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** SIGTERM, as the kubelet sends it. Resolves with the exit code and how long it took. */
  async terminate(): Promise<{ readonly code: number | null; readonly tookMs: number }> {
    const startedAt = performance.now();
    spawnSync('runc', [...this.#state, 'kill', this.#name, 'TERM']);
    const timer = setTimeout(() => this.#kill(), PATIENCE_MS);
    const code = await this.ended;
    clearTimeout(timer);
    return { code, tookMs: performance.now() - startedAt };
  }

  [Symbol.dispose](): void {
    this.#kill();
    spawnSync('runc', [...this.#state, 'delete', '--force', this.#name]);
    this.#unpacked[Symbol.dispose]();
    rmSync(this.#bundle, { recursive: true, force: true });
  }

  #kill(): void {
    spawnSync('runc', [...this.#state, 'kill', this.#name, 'KILL']);
  }

  get #state(): readonly string[] {
    return ['--root', path.join(this.#bundle, 'state')];
  }
}

/** For runc: https://github.com/opencontainers/runtime-spec/blob/main/config.md */
function specify(image: ImageConfig, root: string, { env = {}, command, mounts = {} }: RunOptions): object {
  const [uid, gid] = image.User.split(':').map(Number);
  const none = { bounding: [], effective: [], permitted: [], inheritable: [], ambient: [] };
  const own = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const tmpfs = { type: 'tmpfs', source: 'tmpfs' };
  return {
    ociVersion: '1.0.2',
    process: {
      user: { uid, gid },
      args: command ?? image.Entrypoint,
      env: [...image.Env, ...own],
      cwd: image.WorkingDir,
      noNewPrivileges: true,
      capabilities: none,
    },
    root: { path: root, readonly: true },
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc' },
      { destination: '/dev', ...tmpfs, options: ['nosuid', 'mode=755'] },
      { destination: '/tmp', ...tmpfs, options: ['nosuid', 'nodev', 'mode=1777'] },
      ...Object.entries(mounts).map(([destination, source]) => {
        return { destination, source, type: 'bind', options: ['rbind', 'ro'] };
      }),
    ],
    linux: { namespaces: ['pid', 'ipc', 'uts', 'mount'].map((type) => ({ type })) },
  };
}

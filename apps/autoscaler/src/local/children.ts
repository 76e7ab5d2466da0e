/** How are the proxy and the pods started: which program, with which environment, and what is asked of it? */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Configuration } from './configuration.ts';
import { PodPorts } from './free-port.ts';
import type { Condition, Started } from './kept-process.ts';
import type { LocalClient } from './local-client.ts';
import type { StartedPod } from './process-pool.ts';
import { type Program, type ProgramSpec, startProgram } from './program.ts';
import type { Screen } from './screen.ts';
import { StartError } from './start-error.ts';

/** Of this computer alone. */
export const LOCAL_HOST = '127.0.0.1';

const PROXY = fileURLToPath(new URL('../../../proxy/dist/main.js', import.meta.url));
const POD = fileURLToPath(new URL('../../../rag/dist/main.js', import.meta.url));

/** As `npm run start:proxy` has it. */
const PROXY_NODE_ARGUMENTS = ['--max-semi-space-size=8'];

export interface ChildrenParts {
  /** Its ports are those that are used: none is 0, but that of the pods. */
  readonly configuration: Configuration;
  /** All else that the pods and the proxy can be told. */
  readonly env: NodeJS.ProcessEnv;
  readonly client: LocalClient;
  readonly screen: Screen;
}

export class Children {
  readonly #parts: ChildrenParts;
  readonly #adminOrigin: string;
  readonly #ports: PodPorts;

  /** @throws StartError where the programs are not built */
  constructor(parts: ChildrenParts) {
    for (const file of [PROXY, POD]) {
      if (!existsSync(file)) throw new StartError(`${file} is not there: build it with npm run build`);
    }
    this.#parts = parts;
    const { port, adminPort, autoscalerPort, podPort } = parts.configuration;
    this.#adminOrigin = `http://${LOCAL_HOST}:${adminPort}`;
    this.#ports = new PodPorts(podPort, LOCAL_HOST, [port, adminPort, autoscalerPort]);
  }

  async startProxy(): Promise<Started> {
    const { configuration, client } = this.#parts;
    const { port, adminPort } = configuration;
    const name = 'proxy';
    const env = this.#environment({
      PORT: String(port),
      ADMIN_PORT: String(adminPort),
      ADMIN_HOST: LOCAL_HOST,
      REGISTRATION: 'on',
      BACKENDS: '',
      PROXIES: '',
      PROXY_SERVICE: '',
    });
    const program = this.#start(name, { file: PROXY, nodeArguments: PROXY_NODE_ARGUMENTS, env });
    return {
      name,
      program,
      check: (signal) => client.readiness(this.#adminOrigin, signal),
      withdraw: () => Promise.resolve(),
    };
  }

  async startPod(): Promise<StartedPod> {
    const { configuration, client } = this.#parts;
    const port = await this.#ports.take();
    const name = `pod ${port}`;
    const address = `${LOCAL_HOST}:${port}`;
    const origin = `http://${address}`;
    const env = this.#environment({ PORT: String(port), HOST: LOCAL_HOST, THREADS: String(configuration.threads) });
    const program = this.#start(name, { file: POD, args: ['--variant', 'batched'], env });
    void program.ended.then(() => this.#ports.giveBack(port));
    return {
      name,
      address,
      program,
      check: (signal) => this.#checkPod(origin, signal),
      withdraw: () => client.unregister(this.#adminOrigin, origin),
    };
  }

  /** A pod is of use when the proxy knows it, which forgets when it is started anew: so it is told each time. */
  async #checkPod(origin: string, signal: AbortSignal): Promise<Condition> {
    const { client } = this.#parts;
    const condition = await client.readiness(origin, signal);
    if (condition !== 'able') return condition;
    return (await client.register(this.#adminOrigin, origin, signal)) ? 'able' : 'alive';
  }

  #start(name: string, spec: ProgramSpec): Program {
    const { screen } = this.#parts;
    const program = startProgram(spec, (line) => screen.log(name, line));
    screen.log(name, { level: 'info', time: new Date().toISOString(), pid: program.pid, msg: 'started' });
    return program;
  }

  #environment(own: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
    const { env, configuration } = this.#parts;
    return { ...env, LOG_LEVEL: configuration.logLevel, LOG_FORMAT: 'json', ...own };
  }
}

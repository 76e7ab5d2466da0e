/** Which port is free? */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';

const HIGHEST_PORT = 65_535;

/** @param port 0 for any @returns it, or the one that was found; undefined where it cannot be opened */
export async function freePort(port: number, host: string): Promise<number | undefined> {
  const server = createServer();
  try {
    server.listen({ port, host, exclusive: true });
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  } catch {
    return undefined;
  } finally {
    server.close();
  }
}

/** Ports upwards from one, those in use by others left out; given back they are given out again. */
export class PodPorts {
  readonly #from: number;
  readonly #host: string;
  readonly #taken: Set<number>;
  #turn: Promise<unknown> = Promise.resolve();

  /** @param from 0 for any; @param reserved never given out, also while nobody has them */
  constructor(from: number, host: string, reserved: readonly number[] = []) {
    this.#from = from;
    this.#host = host;
    this.#taken = new Set(reserved);
  }

  /** @returns the lowest that is free; where none is, any, so that whoever tries it says why not */
  take(): Promise<number> {
    const found = this.#turn.then(() => this.#find());
    this.#turn = found;
    return found;
  }

  giveBack(port: number): void {
    this.#taken.delete(port);
  }

  async #find(): Promise<number> {
    for (let port = this.#from; port > 0 && port <= HIGHEST_PORT; port++) {
      if (this.#taken.has(port) || (await freePort(port, this.#host)) === undefined) continue;
      this.#taken.add(port);
      return port;
    }
    return (await freePort(0, this.#host)) ?? this.#from;
  }
}

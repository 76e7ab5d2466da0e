/** A process that is scraped, for tests: its metrics are those of the real classes, its traffic is what the test says. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Rendered {
  readonly contentType: string;
  render(): Promise<string>;
}

export class MetricsServer implements AsyncDisposable {
  readonly #metrics: () => Rendered;
  #port = 0;
  #server: Server | undefined;

  private constructor(metrics: () => Rendered) {
    this.#metrics = metrics;
  }

  /** @param metrics asked for at every scrape, so that a process can be replaced by a new one */
  static async start(metrics: () => Rendered): Promise<MetricsServer> {
    const server = new MetricsServer(metrics);
    await server.listen();
    return server;
  }

  /** `host:port`, always the same. */
  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  get url(): string {
    return `http://${this.address}`;
  }

  async listen(): Promise<void> {
    const server = createServer((_, response) => {
      const metrics = this.#metrics();
      void metrics.render().then((text) => response.setHeader('content-type', metrics.contentType).end(text));
    });
    this.#server = server.listen(this.#port, '127.0.0.1');
    await once(server, 'listening');
    this.#port = (server.address() as AddressInfo).port;
  }

  /** Connections break, and new ones are refused. */
  async kill(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}

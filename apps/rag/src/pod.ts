/** A pod as a whole: a server that listens at once, answers when it is ready, and ends in order. */
import type { AddressInfo } from 'node:net';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Engine } from '@ragscale/inference/engine-api';
import { Lifecycle } from '@ragscale/service/lifecycle';
import { PodMetrics } from '@ragscale/service/pod-metrics';
import { shutDown } from '@ragscale/service/shutdown';
import type { Tracing } from '@ragscale/service/tracing';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { AnswerGate } from './answer-gate.ts';
import { AppModule } from './app.module.ts';
import type { Configuration } from './configuration.ts';
import { serveDocs } from './docs-page.ts';
import { ErrorFilter } from './error.filter.ts';
import type { TextGenerator } from './generator/text-generator.ts';
import { createHttpAdapter } from './http-adapter.ts';
import type { IndexedDocuments } from './indexed-documents.ts';
import { openModels } from './models/open-models.ts';
import { NestLogger } from './nest-logger.ts';
import { openEngine, prepareAnswerer, type StartEngine } from './start-up.ts';
import { createValidationPipe } from './validation.ts';
import { Withdrawals } from './withdrawals.ts';

export interface PodOptions {
  readonly configuration: Configuration;
  readonly logger: Logger;
  readonly startEngine: StartEngine;
  /** Where traces go; none without it. */
  readonly tracing?: Tracing | undefined;
}

/** Time for the last answers to leave, in milliseconds. */
const LINGER_MS = 250;

/** Time for the last traces to leave, in milliseconds. */
const TRACES_TIMEOUT_MS = 2_000;

/** It was told to end before it was ready. */
export class StartInterruptedError extends Error {
  override readonly name = 'StartInterruptedError';
}

export class Pod {
  readonly #options: PodOptions;
  readonly #lifecycle = new Lifecycle();
  readonly #withdrawals = new Withdrawals();
  readonly #gate = new AnswerGate(this.#lifecycle);
  readonly #metrics: PodMetrics;
  /** Aborts when the pod is told to end: what is waited for until then is of no use any more. */
  readonly #starting = new AbortController();
  #app: NestFastifyApplication | undefined;
  #engine: Engine | undefined;
  #generator: TextGenerator | undefined;
  #documents: IndexedDocuments | undefined;
  #ending: Promise<number> | undefined;

  constructor(options: PodOptions) {
    this.#options = options;
    const { variant, objectiveSeconds, prefixSharing } = options.configuration;
    const isHere = options.configuration.generator.kind !== 'elsewhere';
    const sharesPrefixes = isHere && variant === 'batched' && prefixSharing === 'on';
    this.#metrics = new PodMetrics({ variant, objectiveSeconds, sharesPrefixes });
  }

  /**
   * Listens; probes are answered from now on.
   * @returns the port
   * @throws what `net.Server.listen` gives, such as EADDRINUSE
   */
  async listen(): Promise<number> {
    const { configuration, logger, tracing } = this.#options;
    const { maxConnections, host, port } = configuration;
    const shared = {
      configuration,
      logger,
      lifecycle: this.#lifecycle,
      metrics: this.#metrics,
      gate: this.#gate,
      withdrawals: this.#withdrawals,
    };
    const { adapter, routes } = createHttpAdapter({ ...shared, maxConnections, tracing });
    const app = await NestFactory.create<NestFastifyApplication>(AppModule.of(shared), adapter, {
      logger: new NestLogger(logger),
      bodyParser: false,
      abortOnError: false,
    });
    app.useGlobalPipes(createValidationPipe());
    app.useGlobalFilters(new ErrorFilter({ ...shared, routes }));
    const fastify = adapter.getInstance() as unknown as FastifyInstance;
    await serveDocs(fastify);
    this.#app = app;
    await app.init();
    await fastify.listen({ port, host });
    return (app.getHttpServer().address() as AddressInfo).port;
  }

  /**
   * Loads models and documents, and opens for questions.
   * @returns a promise within the result that rejects should the engine die later
   * @throws ModelsError, GeneratorError, ModelFolderError, RuntimeError, DeviceError, DocumentsError, StartInterruptedError
   */
  async start(): Promise<{ readonly failed: Promise<never> }> {
    const parts = { ...this.#options, metrics: this.#metrics };
    const { embedder, generator: source } = await openModels(this.#options, this.#starting.signal);
    const engine = await openEngine(embedder, source, parts);
    this.#engine = engine;
    const generator = await source.open(engine, this.#starting.signal);
    this.#generator = generator;
    const { name, fallbackReason } = engine.runtime;
    const { device } = engine;
    this.#metrics.deviceChosen(device.name, device.requested);
    if (device.fallbackReason !== undefined)
      this.#options.logger.info({ reason: device.fallbackReason }, 'CUDA cannot be used: the models run on the CPU');
    this.#options.logger.info(
      {
        embedder: engine.embedder.name,
        generator: generator.name,
        context: generator.context,
        runtime: name,
        fallbackReason,
        device: device.name,
      },
      'models are loaded',
    );
    const { answerer, documents } = await Promise.race([prepareAnswerer(engine, generator, parts), engine.failed]);
    this.#documents = documents;
    this.#metrics.slotsChanged(answerer.slots);
    this.#gate.open(answerer, { embedder: engine.embedder, device: engine.device, generator });
    if (this.#ending === undefined) documents.watch();
    return { failed: engine.failed };
  }

  /**
   * Ends in order, once however often it is called.
   * @returns how many requests had to be aborted
   */
  shutDown(): Promise<number> {
    const { drainDelayMs, shutdownTimeoutMs } = this.#options.configuration;
    this.#starting.abort(new StartInterruptedError('the pod was told to end'));
    // Nobody needs other documents any more, and those who are answered need the engine.
    void this.#documents?.close();
    this.#ending ??= shutDown({
      lifecycle: this.#lifecycle,
      drainDelayMs,
      timeoutMs: shutdownTimeoutMs,
      stopListening: () => this.#stopListening(),
      abort: () => this.#withdrawals.abortAll(),
      close: () => this.#close(),
    });
    return this.#ending;
  }

  #stopListening(): void {
    const server = this.#app?.getHttpServer();
    server?.close();
    server?.closeIdleConnections();
  }

  async #close(): Promise<void> {
    // Node does not count a connection as idle on which nothing was asked yet; such ones would be waited for.
    const timer = setTimeout(() => this.#app?.getHttpServer().closeAllConnections(), LINGER_MS);
    await this.#app?.close();
    clearTimeout(timer);
    await this.#documents?.close();
    await this.#generator?.close();
    await this.#engine?.close();
    await this.#options.tracing?.shutDown(TRACES_TIMEOUT_MS);
  }
}

/** The process of a paced pod: everything of a real one, but for the engine. */
import 'reflect-metadata';
import { setTimeout as sleep } from 'node:timers/promises';
import { readConfiguration } from '@ragscale/rag-app/configuration';
import { Pod } from '@ragscale/rag-app/pod';
import { MEASURED_CURVES } from '@ragscale/scaling/simulator/service-curve';
import { duration, integer, oneOf, readEnvironment } from '@ragscale/service/environment';
import { createLogger } from '@ragscale/service/logging';
import { onTermination } from '@ragscale/service/shutdown';
import { PacedEngine } from './engine.ts';

const VARIABLES = {
  token: {
    name: 'PACE_TOKEN',
    about: 'A token of an answer that has the pod for itself.',
    ...duration(0, 60),
    fallback: '5ms',
  },
  stride: {
    name: 'PACE_STRIDE',
    about: 'Tokens of each answer between two moments at which another can join them.',
    ...integer(1, 64),
    fallback: '1',
  },
  curve: {
    name: 'PACE_CURVE',
    about: 'How much more a pod does that answers more at once, as it was measured.',
    ...oneOf(Object.keys(MEASURED_CURVES) as (keyof typeof MEASURED_CURVES)[]),
    fallback: 'w8a8-16',
  },
  loading: {
    name: 'PACE_LOADING',
    about: 'From the start of the process until it is ready, where that does not take longer.',
    ...duration(0, 600),
    fallback: '0s',
  },
} as const;

const { token, stride, curve, loading } = readEnvironment(VARIABLES, process.env);
const configuration = readConfiguration(process.env);
const logger = createLogger({ level: configuration.logLevel, format: configuration.logFormat });
const pod = new Pod({
  configuration,
  logger,
  startEngine: async (options) => {
    await sleep(Math.max(0, loading * 1_000 - performance.now()));
    return new PacedEngine(options, { tokenMs: token * 1_000, stride, curve: MEASURED_CURVES[curve] });
  },
});
onTermination(
  async (signal) => {
    logger.info({ signal }, 'shutting down');
    logger.info({ aborted: await pod.shutDown() }, 'bye');
    process.exit(0);
  },
  () => process.exit(1),
);
const port = await pod.listen();
logger.info({ port }, 'listening');
await pod.start();
logger.info('ready');

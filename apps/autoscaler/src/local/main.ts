/** The process of a local system: reads its environment, runs the proxy, pods and the autoscaler, ends them all on a signal. */
import { ConfigurationError } from '@ragscale/service/environment';
import { Assembly } from './assembly.ts';
import { type Configuration, readConfiguration } from './configuration.ts';
import { ModelPreparation } from './model-preparation.ts';
import { createScreen } from './screen.ts';
import { StartError } from './start-error.ts';
import { onTermination } from './termination.ts';

async function run(configuration: Configuration): Promise<void> {
  const { logLevel: level, logFormat: format, minReplicas, maxReplicas, policy } = configuration;
  const screen = createScreen({ level, format }, process.stdout);
  const startedAt = performance.now();
  const preparation = new ModelPreparation({ env: process.env, screen });
  let system: Assembly | undefined;
  let ending = false;
  const end = async () => {
    if (ending) return;
    ending = true;
    screen.tell({ kind: 'stopping' });
    await preparation.stop();
    await system?.stop();
    screen.tell({ kind: 'stopped' });
    process.exit(0);
  };
  const endAtOnce = async () => {
    preparation.kill();
    await system?.kill();
    process.exit(1);
  };
  onTermination(
    () => void end(),
    () => void endAtOnce(),
    () => performance.now(),
  );
  // Whoever read what is shown has gone, such as `head`.
  process.stdout.on('error', () => void end());
  try {
    await preparation.run();
    if (ending) return;
    // Only now are free ports chosen: a build is long enough for others to take them.
    system = await Assembly.of(configuration, screen);
    const addresses = await system.start();
    if (ending) return;
    const { percentile, latencyMs } = policy.objective;
    const goal = `${percentile}% of the answers within ${latencyMs / 1_000} s`;
    const afterMs = performance.now() - startedAt;
    screen.tell({ kind: 'ready', addresses, pods: minReplicas, maxPods: maxReplicas, goal, afterMs });
  } catch (error) {
    // Told to end while it started: what was interrupted is no failure.
    if (ending) return;
    screen.tell({ kind: 'failed' });
    await system?.kill();
    throw error;
  }
}

function exitWith(error: unknown): never {
  const isExplained = error instanceof ConfigurationError || error instanceof StartError;
  process.stderr.write(`${isExplained ? error.message : error instanceof Error ? error.stack : String(error)}\n`);
  process.exit(1);
}

try {
  await run(readConfiguration(process.env));
} catch (error) {
  exitWith(error);
}

/** Does the autoscaler hold the objective on a real cluster: while the load moves, and while what it needs is gone? */
import { afterAll, beforeAll, describe } from 'vitest';
import { missingTools } from '../chart/tools.ts';
import { checkOutages } from './checks/outages.ts';
import { checkScaling, LEAST } from './checks/scaling.ts';
import { noCluster } from './support/cluster.ts';
import { quickAutoscaling } from './support/quick-autoscaling.ts';
import { SystemUnderLoad } from './support/system-under-load.ts';

const missing = noCluster ?? missingTools('helm4');

describe.skipIf(missing)(`the autoscaler under load${missing ? ` (${missing})` : ''}`, () => {
  let system: SystemUnderLoad;

  beforeAll(async () => {
    system = await SystemUnderLoad.install('autoscaling', quickAutoscaling({ minReplicas: LEAST }));
    await system.condition('ScalingActive', 'True', ['MetricsFound']);
  });
  afterAll(() => system?.[Symbol.asyncDispose]());

  checkScaling(() => system);
  checkOutages(() => system);
});

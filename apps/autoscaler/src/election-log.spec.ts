import { KubernetesError } from '@ragscale/kubernetes/kubernetes-error';
import { pino } from 'pino';
import { expect, it } from 'vitest';
import { electionLog } from './election-log.ts';

function start() {
  const lines: { level: number; msg: string }[] = [];
  const logger = pino({ base: null, level: 'debug' }, { write: (line: string) => lines.push(JSON.parse(line)) });
  return { lines, log: electionLog(logger, { namespace: 'ragscale', name: 'lease' }, 'me') };
}

it('who decides is a line each time it changes', () => {
  const { lines, log } = start();
  log.onChange(false, 'other');
  log.onChange(true, 'me');
  log.onChange(false, 'me');
  expect(lines).toMatchObject([
    { msg: 'this process stands by', lease: 'ragscale/lease', identity: 'me', holder: 'other' },
    { msg: 'this process decides' },
    { msg: 'this process holds the Lease, and must not decide now' },
  ]);
});

it('trouble is a warning once while it lasts, and says what to do about it', () => {
  const { lines, log } = start();
  const warnings = () => lines.filter(({ level }) => level === 40).map(({ msg }) => msg);
  for (let failures = 1; failures <= 3; failures++) log.onTrouble(new Error('no answer'), failures);
  log.onTrouble(new KubernetesError(403, 'leases.coordination.k8s.io is forbidden'), 4);
  log.onTrouble(new KubernetesError(404, 'namespaces "ragscale" not found'), 5);
  log.onTrouble(new KubernetesError(401, 'Unauthorized'), 6);
  expect(warnings()).toEqual([
    expect.stringContaining('cannot be read or renewed'),
    expect.stringContaining('bind a Role with get and update on the lease lease and create on leases'),
    expect.stringContaining('there is no namespace ragscale for the Lease: create it, or set LEASE_NAMESPACE'),
    expect.stringContaining('does not accept the credentials'),
  ]);
  log.onRecovered();
  log.onTrouble(new Error('no answer'), 1);
  expect(warnings()).toHaveLength(5);
});

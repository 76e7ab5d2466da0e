import { describe, expect, it } from 'vitest';
import { readConfiguration } from './configuration.ts';
import { renderConfigurationPage } from './configuration-documentation.ts';

describe('the configuration', () => {
  it('needs nothing', () => {
    expect(readConfiguration({})).toEqual({
      port: 9_100,
      host: '0.0.0.0',
      namespaces: undefined,
      prometheusUrl: 'http://localhost:9090',
      prometheusTokenFile: undefined,
      prometheusCaFile: undefined,
      prometheusTimeoutSeconds: 3,
      periodSeconds: 5,
      leaderElection: 'on',
      leaseName: 'ragscale-autoscaler',
      leaseNamespace: undefined,
      podName: undefined,
      logLevel: 'info',
      logFormat: 'auto',
    });
  });

  it.each([
    ['a, b,a', ['a', 'b']],
    ['*', 'all'],
    ['rag', ['rag']],
  ])('takes namespaces %s', (given, namespaces) => {
    expect(readConfiguration({ NAMESPACES: given }).namespaces).toEqual(namespaces);
  });

  it('names every bad variable, and what may stand there', () => {
    const env = {
      PORT: '70000',
      NAMESPACES: 'rag,*',
      PROMETHEUS_URL: 'prometheus:9090',
      PROMETHEUS_TIMEOUT: '3',
      PERIOD: '100ms',
      LEADER_ELECTION: 'yes',
      LEASE_NAME: 'My Lease',
      LEASE_NAMESPACE: 'a.b',
    };
    let message = '';
    try {
      readConfiguration(env);
    } catch (error) {
      message = (error as Error).message;
    }
    const named = Object.keys(env).filter((name) =>
      message.includes(`  ${name}="${env[name as keyof typeof env]}": must be `),
    );
    expect(named).toEqual(Object.keys(env));
  });

  it('is what the page says', async () => {
    await expect(renderConfigurationPage()).toMatchFileSnapshot('../../../docs/configuration-autoscaler.md');
  });
});

/** What does the Prometheus of a release say? Its HTTP API. */
import type { Release } from './release.ts';

export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [number, string];
}

export interface Target {
  readonly health: 'up' | 'down' | 'unknown';
  readonly lastError: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface Rule {
  readonly type: 'alerting' | 'recording';
  readonly name: string;
  readonly health: 'ok' | 'err' | 'unknown';
  readonly lastError?: string;
}

interface RuleGroup {
  readonly name: string;
  readonly rules: readonly Rule[];
}

export class PrometheusApi {
  readonly #release: Release;

  constructor(release: Release) {
    this.#release = release;
  }

  /** @throws Error in Prometheus' words */
  async query(expression: string): Promise<Sample[]> {
    return (await this.#get<{ result: Sample[] }>(`query?query=${encodeURIComponent(expression)}`)).result;
  }

  /** Of an expression that gives one series. */
  async value(expression: string): Promise<number> {
    const [sample, ...others] = await this.query(expression);
    if (sample === undefined || others.length > 0) throw new Error(`no single value of ${expression}`);
    return Number(sample.value[1]);
  }

  async targets(): Promise<readonly Target[]> {
    return (await this.#get<{ activeTargets: Target[] }>('targets?state=active')).activeTargets;
  }

  async ruleGroups(): Promise<readonly RuleGroup[]> {
    return (await this.#get<{ groups: RuleGroup[] }>('rules')).groups;
  }

  /** Firing, or about to. */
  async alerts(): Promise<readonly { readonly labels: Readonly<Record<string, string>>; readonly state: string }[]> {
    return (await this.#get<{ alerts: { labels: Record<string, string>; state: string }[] }>('alerts')).alerts;
  }

  async #get<T>(path: string): Promise<T> {
    const url = `${await this.#release.prometheusUrl()}/api/v1/${path}`;
    const response = await fetch(url, { signal: AbortSignal.timeout(20_000) });
    const { status, data, error } = (await response.json()) as { status: string; data: T; error?: string };
    if (status !== 'success') throw new Error(`${path}: ${error}`);
    return data;
  }
}

/** Who wrote what, and when? The audit log of the API server: the writes of scales and of Leases, whoever made them. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { z } from 'zod';

const outcomeSchema = z.object({ responseStatus: z.object({ code: z.number().default(0) }).optional() });
/** Of a request that was accepted: others have what they have. */
const entrySchema = z.object({
  user: z.object({ username: z.string() }),
  objectRef: z.object({ resource: z.string(), name: z.string().optional() }),
  requestObject: z.unknown(),
  requestReceivedTimestamp: z.string(),
  stageTimestamp: z.string(),
});
const scaleSchema = z.object({ spec: z.object({ replicas: z.number().default(0) }) });
const leaseSchema = z.object({ spec: z.object({ holderIdentity: z.string().default('') }) });

/** A write that the API server has accepted. */
export interface Write {
  /** Name of the ServiceAccount, or of the user. */
  readonly user: string;
  /** Milliseconds since the epoch, by the API server's clock: it came, and it was answered. */
  readonly from: number;
  readonly to: number;
}

export interface ScaleWrite extends Write {
  readonly replicas: number;
}

export interface LeaseWrite extends Write {
  /** Empty: it was given back. */
  readonly holder: string;
}

const POLICY = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [
    { level: 'Request', verbs: ['patch', 'update'], resources: [{ group: 'apps', resources: ['deployments/scale'] }] },
    {
      level: 'Request',
      verbs: ['create', 'update'],
      resources: [{ group: 'coordination.k8s.io', resources: ['leases'] }],
    },
    { level: 'None' },
  ],
};

export class AuditLog implements Disposable {
  readonly #folder = mkdtempSync(path.join(tmpdir(), 'ragscale-audit-'));

  constructor() {
    // What is JSON is YAML.
    writeFileSync(this.#file('policy.yaml'), JSON.stringify(POLICY));
  }

  /** Of kube-apiserver. */
  get flags(): string[] {
    return [
      `--audit-policy-file=${this.#file('policy.yaml')}`,
      `--audit-log-path=${this.#file('audit.log')}`,
      '--audit-log-mode=blocking',
    ];
  }

  /** Of one Deployment, in their order. */
  scales(name: string): ScaleWrite[] {
    return this.#writes('deployments', name).map(({ requestObject, ...write }) => ({
      ...write,
      replicas: scaleSchema.parse(requestObject).spec.replicas,
    }));
  }

  leases(name: string): LeaseWrite[] {
    return this.#writes('leases', name).map(({ requestObject, ...write }) => ({
      ...write,
      holder: leaseSchema.parse(requestObject).spec.holderIdentity,
    }));
  }

  #writes(resource: string, name: string): (Write & { requestObject: unknown })[] {
    if (!existsSync(this.#file('audit.log'))) return [];
    // Whoever was killed may have left half a line.
    const lines = readFileSync(this.#file('audit.log'), 'utf8')
      .split('\n')
      .filter((line) => line.endsWith('}'));
    return lines
      .map((line) => JSON.parse(line) as unknown)
      .filter((entry) => isAccepted(outcomeSchema.parse(entry)))
      .map((entry) => entrySchema.parse(entry))
      .filter(({ objectRef }) => objectRef.resource === resource && objectRef.name === name)
      .map(({ user, requestObject, requestReceivedTimestamp, stageTimestamp }) => ({
        user: user.username.split(':').at(-1) ?? '',
        from: Date.parse(requestReceivedTimestamp),
        to: Date.parse(stageTimestamp),
        requestObject,
      }))
      .sort((a, b) => a.to - b.to);
  }

  #file(name: string): string {
    return path.join(this.#folder, name);
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function isAccepted({ responseStatus }: z.output<typeof outcomeSchema>): boolean {
  const code = responseStatus?.code ?? 0;
  return code >= 200 && code < 300;
}

/** Which endpoints do the EndpointSlices of a Service describe? As https://kubernetes.io/docs/reference/networking/virtual-ips defines it. */
import { z } from 'zod';
import type { FoundEndpoint } from './discovery.ts';
import { foundEndpoint, mergedEndpoints } from './found-endpoints.ts';

const flag = z.boolean().nullish();

const endpointSchema = z.object({
  /** Of several, only the first has a meaning. */
  addresses: z.array(z.string()).min(1),
  conditions: z.object({ ready: flag, serving: flag, terminating: flag }).nullish(),
  hints: z.object({ forZones: z.array(z.object({ name: z.string() })).nullish() }).nullish(),
  targetRef: z.object({ kind: z.string().nullish(), name: z.string().nullish(), uid: z.string().nullish() }).nullish(),
});

const portSchema = z.object({
  name: z.string().nullish(),
  /** Absent means every port. */
  port: z.number().int().nullish(),
  protocol: z.string().nullish(),
});

/** The part of discovery.k8s.io/v1 that is read. Lists may be null: Go writes an empty one so. */
export const endpointSliceSchema = z.object({
  metadata: z.object({ name: z.string(), namespace: z.string().optional(), resourceVersion: z.string() }),
  addressType: z.string(),
  endpoints: z.array(endpointSchema).nullish(),
  ports: z.array(portSchema).nullish(),
});

export type EndpointSlice = z.output<typeof endpointSliceSchema>;
type SliceEndpoint = z.output<typeof endpointSchema>;

export interface Selection {
  /** The name of the Service's port or the number that the pods listen on; undefined: the only port there is. */
  readonly port?: string | number | undefined;
  /** Where this process runs; without it no zone is preferred. */
  readonly zone?: string | undefined;
  /** Of each endpoint; 1 unless given. */
  readonly weight?: number;
}

export interface SlicesRead {
  readonly found: readonly FoundEndpoint[];
  /** What is wrong with the slices or the selection, in words for a log; stable while the cause lasts. */
  readonly remarks: readonly string[];
}

/** One endpoint at the port selected. */
interface Candidate {
  readonly host: string;
  readonly port: number;
  readonly isIpv6: boolean;
  readonly endpoint: SliceEndpoint;
}

/** @param slices all of one Service */
export function readSlices(slices: readonly EndpointSlice[], selection: Selection): SlicesRead {
  const usable = slices.filter(({ addressType }) => addressType === 'IPv4' || addressType === 'IPv6');
  const others = new Set(slices.filter((slice) => !usable.includes(slice)).map(({ addressType }) => addressType));
  const remarks = [...others].map((type) => `EndpointSlices with addresses of the type ${type} are ignored`);
  const selected = selectPort(usable, selection.port);
  if (selected.remark !== undefined) remarks.push(selected.remark);

  const candidates = usable.flatMap((slice) => {
    const isIpv6 = slice.addressType === 'IPv6';
    return portsOf(slice)
      .filter(selected.matches)
      .flatMap(({ port }) =>
        (slice.endpoints ?? []).map((endpoint) => ({ host: endpoint.addresses[0] ?? '', port, isIpv6, endpoint })),
      );
  });
  const kept = oneFamilyPerPod(candidates);
  const preferred = preferredZone(kept, selection.zone);
  const weight = selection.weight ?? 1;
  const found = kept.map(({ host, port, endpoint }) =>
    foundEndpoint(host, port, {
      weight,
      condition: conditionOf(endpoint),
      local: preferred === undefined || zonesOf(endpoint).includes(preferred),
    }),
  );
  return { found: mergedEndpoints(found), remarks };
}

/** An absent `ready` means true, an absent `terminating` false; `serving` only tells terminating pods apart, and those get nothing new. */
function conditionOf({ conditions }: SliceEndpoint): FoundEndpoint['condition'] {
  if (conditions?.terminating) return 'terminating';
  return (conditions?.ready ?? true) ? 'ready' : 'not-ready';
}

interface NumberedPort {
  readonly name: string;
  readonly port: number;
}

function portsOf({ ports }: EndpointSlice): NumberedPort[] {
  return (ports ?? []).flatMap(({ name, port, protocol }) =>
    typeof port === 'number' && (protocol ?? 'TCP') === 'TCP' ? [{ name: name ?? '', port }] : [],
  );
}

interface PortChoice {
  matches(port: NumberedPort): boolean;
  readonly remark?: string;
}

/** A name keeps its meaning where slices differ in its number, as they do while a named target port changes. */
function selectPort(slices: readonly EndpointSlice[], wanted: string | number | undefined): PortChoice {
  const ports = slices.flatMap(portsOf);
  const offered = [...new Set(ports.map(({ name, port }) => (name ? `${name} (${port})` : `${port}`)))].sort();
  if (wanted === undefined) {
    const isOnly = new Set(ports.map(({ name }) => name)).size <= 1;
    if (isOnly) return { matches: () => true };
    return { matches: () => false, remark: `the Service has several ports, name one of ${offered.join(', ')}` };
  }
  const matches = ({ name, port }: NumberedPort) => (typeof wanted === 'number' ? port === wanted : name === wanted);
  if (ports.length === 0 || ports.some(matches)) return { matches };
  const hint = typeof wanted === 'number' ? '; a number is that of the pods, not that of the Service' : '';
  return { matches, remark: `no EndpointSlice has the port ${wanted}, there is ${offered.join(', ')}${hint}` };
}

/** A dual-stack Service lists each pod once per family; its slots must not count twice. */
function oneFamilyPerPod(candidates: readonly Candidate[]): readonly Candidate[] {
  const podOf = ({ endpoint: { targetRef }, port }: Candidate) => `${targetRef?.uid ?? targetRef?.name ?? ''}:${port}`;
  const withIpv4 = new Set(candidates.filter(({ isIpv6 }) => !isIpv6).map(podOf));
  return candidates.filter(
    (one) => !one.isIpv6 || !(one.endpoint.targetRef?.uid ?? one.endpoint.targetRef?.name) || !withIpv4.has(podOf(one)),
  );
}

/**
 * kube-proxy's rule (pkg/proxy/topology.go): the zone counts only when every ready endpoint has a hint, and one of them is for it; hints
 * that are half written must not leave a zone without pods.
 */
function preferredZone(candidates: readonly Candidate[], zone: string | undefined): string | undefined {
  if (!zone) return undefined;
  const ready = candidates.filter(({ endpoint }) => conditionOf(endpoint) === 'ready');
  if (ready.some(({ endpoint }) => zonesOf(endpoint).length === 0)) return undefined;
  return ready.some(({ endpoint }) => zonesOf(endpoint).includes(zone)) ? zone : undefined;
}

function zonesOf({ hints }: SliceEndpoint): string[] {
  return (hints?.forZones ?? []).map(({ name }) => name);
}

/**
 * Where do the schemas come from that kubeconform judges the manifests by? From Kubernetes' own OpenAPI of three versions, and from the
 * CustomResourceDefinitions of those whose kinds the chart renders; only the kinds that it renders. Run by generate.sh.
 *
 *     node generate.ts openapi SWAGGER.json OUT_DIR
 *     node generate.ts crd CRD.yaml OUT_DIR
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { loadYaml } from '@kubernetes/client-node';

type Schema = { [key: string]: unknown };

/** Of the chart and of its tests. */
const KINDS: Readonly<Record<string, string>> = {
  'configmap-v1': 'io.k8s.api.core.v1.ConfigMap',
  'lease-coordination-v1': 'io.k8s.api.coordination.v1.Lease',
  'namespace-v1': 'io.k8s.api.core.v1.Namespace',
  'pod-v1': 'io.k8s.api.core.v1.Pod',
  'service-v1': 'io.k8s.api.core.v1.Service',
  'serviceaccount-v1': 'io.k8s.api.core.v1.ServiceAccount',
  'deployment-apps-v1': 'io.k8s.api.apps.v1.Deployment',
  'job-batch-v1': 'io.k8s.api.batch.v1.Job',
  'poddisruptionbudget-policy-v1': 'io.k8s.api.policy.v1.PodDisruptionBudget',
  'ingress-networking-v1': 'io.k8s.api.networking.v1.Ingress',
  'networkpolicy-networking-v1': 'io.k8s.api.networking.v1.NetworkPolicy',
  'role-rbac-v1': 'io.k8s.api.rbac.v1.Role',
  'rolebinding-rbac-v1': 'io.k8s.api.rbac.v1.RoleBinding',
  'clusterrole-rbac-v1': 'io.k8s.api.rbac.v1.ClusterRole',
  'clusterrolebinding-rbac-v1': 'io.k8s.api.rbac.v1.ClusterRoleBinding',
};

const [mode = '', from = '', to = ''] = process.argv.slice(2);
mkdirSync(to, { recursive: true });
const text = readFileSync(from, 'utf8');
if (mode === 'openapi') fromOpenApi(JSON.parse(text).definitions);
else if (mode === 'crd') fromCrd(loadYaml<{ spec: CrdSpec }>(text).spec);
else throw new Error(`not known: ${mode}`);

function fromOpenApi(definitions: Readonly<Record<string, Schema>>): void {
  for (const [file, name] of Object.entries(KINDS)) {
    const definition = definitions[name];
    if (definition === undefined) throw new Error(`${from} has no ${name}`);
    write(file, strict(definition, definitions));
  }
}

interface CrdSpec {
  readonly group: string;
  readonly names: { readonly kind: string };
  readonly versions: readonly { readonly name: string; readonly schema: { readonly openAPIV3Schema: Schema } }[];
}

function fromCrd(spec: CrdSpec): void {
  for (const { name, schema } of spec.versions) {
    // kubeconform asks for the group without its domain.
    const file = `${spec.names.kind.toLowerCase()}-${spec.group.split('.')[0]}-${name}`;
    write(file, strict({ ...schema.openAPIV3Schema, 'x-kubernetes-root': true }, {}));
  }
}

function write(file: string, schema: unknown): void {
  writeFileSync(path.join(to, `${file}.json`), `${JSON.stringify(schema)}\n`);
}

/** A mark such as `x-kubernetes-int-or-string`, which the reader of YAML writes with underscores. */
function isMarked(schema: Schema, mark: string): boolean {
  return schema[`x-kubernetes-${mark}`] === true || schema[`x_kubernetes_${mark.replaceAll('-', '_')}`] === true;
}

/** References replaced by what they mean, descriptions left out, and no property that is not declared. */
function strict(schema: Schema, definitions: Readonly<Record<string, Schema>>, within: readonly string[] = []): Schema {
  const reference = schema.$ref;
  if (typeof reference === 'string') {
    const name = reference.replace('#/definitions/', '');
    const definition = definitions[name];
    // Only JSONSchemaProps is recursive, which no object of ours has.
    if (definition === undefined || within.includes(name)) return {};
    return strict(definition, definitions, [...within, name]);
  }
  if (isMarked(schema, 'int-or-string') || schema.format === 'int-or-string') {
    return { oneOf: [{ type: 'string' }, { type: 'integer' }] };
  }
  const result: Schema = {};
  for (const key of [
    'type',
    'enum',
    'required',
    'pattern',
    'minimum',
    'maximum',
    'minLength',
    'maxLength',
    'minItems',
    'maxItems',
  ]) {
    if (schema[key] !== undefined) result[key] = schema[key];
  }
  const properties = schema.properties as Readonly<Record<string, Schema>> | undefined;
  if (properties !== undefined) {
    const strictened = Object.entries(properties).map(
      ([name, each]) => [name, strict(each, definitions, within)] as const,
    );
    result.properties = Object.fromEntries(strictened);
    if (!isMarked(schema, 'preserve-unknown-fields')) result.additionalProperties = false;
  }
  if (schema['x-kubernetes-root'] === true) {
    const metadata = { type: 'object' };
    result.properties = {
      ...(result.properties as Schema),
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata,
    };
  }
  if (schema.items !== undefined) result.items = strict(schema.items as Schema, definitions, within);
  const additional = schema.additionalProperties;
  if (additional !== undefined && properties === undefined) {
    result.additionalProperties =
      typeof additional === 'object' ? strict(additional as Schema, definitions, within) : additional;
  }
  return result;
}

/** Which kinds of others does a test define? One that can be scaled, and the part of KEDA that counts. */
export function serverKind(): object {
  const subresources = {
    status: {},
    scale: {
      specReplicasPath: '.spec.replicas',
      statusReplicasPath: '.status.replicas',
      labelSelectorPath: '.status.selector',
    },
  };
  return kind('example.com', 'v1', 'Server', 'servers', subresources);
}

/** The part of KEDA that counts here. */
export function kedaKind(): object {
  return kind('keda.sh', 'v1alpha1', 'ScaledObject', 'scaledobjects', { status: {} });
}

function kind(group: string, version: string, name: string, plural: string, subresources: object): object {
  const openAPIV3Schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  const properties = {
    spec: {
      type: 'object',
      properties: { replicas: { type: 'integer' } },
      'x-kubernetes-preserve-unknown-fields': true,
    },
    status: {
      type: 'object',
      properties: { replicas: { type: 'integer' }, selector: { type: 'string' } },
      'x-kubernetes-preserve-unknown-fields': true,
    },
  };
  return {
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { kind: name, plural },
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          subresources,
          schema: { openAPIV3Schema: { ...openAPIV3Schema, properties } },
        },
      ],
    },
  };
}

/** How is an ONNX graph composed, operator by operator, without reading a weight before it is written? */
import type { Weight } from './weight.ts';

/** ONNX's numbers for the element types in use (TensorProto.DataType). */
export const ELEMENT_TYPES = { float32: 1, uint8: 2, int8: 3, int32: 6, int64: 7 } as const;
export type ElementType = keyof typeof ELEMENT_TYPES;
export const ELEMENT_BYTES: Readonly<Record<ElementType, number>> = {
  float32: 4,
  uint8: 1,
  int8: 1,
  int32: 4,
  int64: 8,
};

/** The domain of ONNX Runtime's own operators. */
export const MICROSOFT = 'com.microsoft';
/** An optional input that is left out. */
export const NONE = '' as Value;

/** Name of a value that flows through the graph. */
export type Value = string & { readonly kind: 'value' };
export type Extent = number | string;
export type Attribute = number | { readonly float: number } | readonly number[];

export interface Initializer {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly number[];
  /** Little-endian values; called once, while the file is written. */
  read(): ArrayBufferView;
}

export interface GraphNode {
  readonly name: string;
  readonly op: string;
  readonly domain: string;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

export interface Port {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly Extent[];
}

export interface Graph {
  readonly name: string;
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  readonly nodes: readonly GraphNode[];
  readonly initializers: readonly Initializer[];
}

/** Collects nodes and initializers in the order in which they are made; the order is the file's, so that bytes repeat. */
export class GraphBuilder {
  private readonly inputs: Port[] = [];
  private readonly outputs: Port[] = [];
  private readonly nodes: GraphNode[] = [];
  private readonly initializers = new Map<string, Initializer>();
  private readonly name: string;
  private scopeName = '';

  constructor(name: string) {
    this.name = name;
  }

  /** Names of the nodes made from now on begin with `name`: profiles and errors of ONNX Runtime then say which layer. */
  scope(name: string): void {
    this.scopeName = `${name}/`;
  }

  input(name: string, type: ElementType, shape: readonly Extent[]): Value {
    this.inputs.push({ name, type, shape });
    return name as Value;
  }

  /** Declares a value that a node made under this very name as an output of the graph. */
  output(name: string, type: ElementType, shape: readonly Extent[]): void {
    this.outputs.push({ name, type, shape });
  }

  /** A stored tensor. Under a name that is there already, the stored one is shared. */
  initializer(initializer: Initializer): Value {
    if (!this.initializers.has(initializer.name)) this.initializers.set(initializer.name, initializer);
    return initializer.name as Value;
  }

  weight(weight: Weight): Value {
    return this.initializer({ name: weight.name, type: 'float32', shape: weight.shape, read: () => weight.read() });
  }

  float(value: number): Value {
    return this.initializer({
      name: `const/float/${value}`,
      type: 'float32',
      shape: [],
      read: () => Float32Array.of(value),
    });
  }

  ints(...values: readonly number[]): Value {
    const name = `const/int64/${values.join('x')}`;
    return this.initializer({
      name,
      type: 'int64',
      shape: [values.length],
      read: () => BigInt64Array.from(values, BigInt),
    });
  }

  scalar(type: 'int32' | 'uint8', value: number): Value {
    const read = () => (type === 'int32' ? Int32Array.of(value) : Uint8Array.of(value));
    return this.initializer({ name: `const/${type}/${value}`, type, shape: [], read });
  }

  /** A node with one output. `as` fixes the output's name, for outputs of the graph. */
  node(op: string, inputs: readonly Value[], options: NodeOptions = {}): Value {
    return this.nodeWithOutputs(op, inputs, [options.as], options)[0]!;
  }

  /** A node with several outputs: a name fixes one, undefined lets the builder name it, the empty name leaves it out. */
  nodeWithOutputs(
    op: string,
    inputs: readonly Value[],
    outputs: readonly (string | undefined)[],
    options: NodeOptions = {},
  ): Value[] {
    const name = `${this.scopeName}${op}_${this.nodes.length}`;
    const values = outputs.map((output, i) => (output ?? `${name}:${i}`) as Value);
    this.nodes.push({
      name,
      op,
      domain: options.domain ?? '',
      inputs,
      outputs: values,
      attributes: options.attributes ?? {},
    });
    return values;
  }

  finish(): Graph {
    const { name, inputs, outputs, nodes } = this;
    return { name, inputs, outputs, nodes, initializers: [...this.initializers.values()] };
  }
}

export interface NodeOptions {
  readonly attributes?: Readonly<Record<string, Attribute>>;
  readonly domain?: string;
  readonly as?: string | undefined;
}

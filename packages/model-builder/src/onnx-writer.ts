/** How does a graph become an ONNX file, one weight in memory at a time? */
import { closeSync, openSync, writeSync } from 'node:fs';
import path from 'node:path';
import onnxProto from 'onnx-proto';
import {
  type Attribute,
  ELEMENT_BYTES,
  ELEMENT_TYPES,
  type Graph,
  type Initializer,
  MICROSOFT,
  type Port,
} from './graph-builder.ts';
import { sizeOf } from './weight.ts';

const { onnx } = onnxProto;

const IR_VERSION = 10;
const OPSET_VERSION = 21;
/** A protobuf message ends at 2 GiB; weights beyond this go to a second file (some room is left for the graph itself). */
export const EXTERNAL_DATA_THRESHOLD_BYTES = 1_900_000_000;
/** ONNX Runtime reads small constants (shapes, axes) while it loads; they stay inside. */
const MIN_EXTERNAL_BYTES = 1024;
/** Pages: external weights can then be mapped into memory. */
const EXTERNAL_ALIGNMENT_BYTES = 4096;

/** Field numbers of onnx.proto3 (with wire type 2, length-delimited) that are written by hand, so that weights can be streamed. */
const FIELD = { modelGraph: 7, graphInitializer: 5, tensorRawData: 9 } as const;

export interface WriteOptions {
  readonly externalDataThresholdBytes?: number;
  /** Called after each stored tensor with the bytes so far and in all. */
  readonly onProgress?: (writtenBytes: number, totalBytes: number) => void;
}

/**
 * Writes `graph` to `file`, and its weights to `file` + `.data` when they would pass the threshold.
 * @returns names of the files written, the graph first
 */
export function writeOnnx(graph: Graph, file: string, options: WriteOptions = {}): string[] {
  const totalBytes = graph.initializers.reduce((sum, initializer) => sum + bytesOf(initializer), 0);
  const external = totalBytes > (options.externalDataThresholdBytes ?? EXTERNAL_DATA_THRESHOLD_BYTES);
  const dataName = `${path.basename(file)}.data`;
  const planned = plan(graph.initializers, external ? dataName : undefined);

  const graphBody = onnx.GraphProto.encode(graphProto(graph)).finish();
  const graphBytes = planned.reduce((sum, entry) => sum + entry.head.length + entry.inlineBytes, graphBody.length);
  const modelFd = openSync(file, 'w');
  const dataFd = external ? openSync(`${file}.data`, 'w') : undefined;
  try {
    let written = 0;
    writeAll(modelFd, onnx.ModelProto.encode(modelProto()).finish());
    writeAll(modelFd, fieldHead(FIELD.modelGraph, graphBytes));
    writeAll(modelFd, graphBody);
    for (const { initializer, head, externalOffset } of planned) {
      const values = initializer.read();
      if (values.byteLength !== bytesOf(initializer)) {
        throw new RangeError(`${initializer.name} gave ${values.byteLength} bytes instead of ${bytesOf(initializer)}`);
      }
      const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
      writeAll(modelFd, head);
      if (externalOffset === undefined) writeAll(modelFd, bytes);
      else writeAll(dataFd!, bytes, externalOffset);
      written += bytes.byteLength;
      options.onProgress?.(written, totalBytes);
    }
  } finally {
    closeSync(modelFd);
    if (dataFd !== undefined) closeSync(dataFd);
  }
  return external ? [path.basename(file), dataName] : [path.basename(file)];
}

interface PlannedInitializer {
  readonly initializer: Initializer;
  /** Everything of the graph's initializer field that comes before the raw values. */
  readonly head: Uint8Array;
  readonly inlineBytes: number;
  readonly externalOffset: number | undefined;
}

function plan(initializers: readonly Initializer[], dataName: string | undefined): PlannedInitializer[] {
  let externalEnd = 0;
  return initializers.map((initializer) => {
    const bytes = bytesOf(initializer);
    const description = {
      name: initializer.name,
      dataType: ELEMENT_TYPES[initializer.type],
      dims: [...initializer.shape],
    };
    if (dataName !== undefined && bytes >= MIN_EXTERNAL_BYTES) {
      const externalOffset = Math.ceil(externalEnd / EXTERNAL_ALIGNMENT_BYTES) * EXTERNAL_ALIGNMENT_BYTES;
      externalEnd = externalOffset + bytes;
      const externalData = Object.entries({ location: dataName, offset: `${externalOffset}`, length: `${bytes}` }).map(
        ([key, value]) => ({ key, value }),
      );
      const dataLocation = onnx.TensorProto.DataLocation.EXTERNAL;
      const tensor = onnx.TensorProto.encode({ ...description, externalData, dataLocation }).finish();
      const head = Buffer.concat([fieldHead(FIELD.graphInitializer, tensor.length), tensor]);
      return { initializer, head, inlineBytes: 0, externalOffset };
    }
    const tensor = Buffer.concat([
      onnx.TensorProto.encode(description).finish(),
      fieldHead(FIELD.tensorRawData, bytes),
    ]);
    const head = Buffer.concat([fieldHead(FIELD.graphInitializer, tensor.length + bytes), tensor]);
    return { initializer, head, inlineBytes: bytes, externalOffset: undefined };
  });
}

const bytesOf = (initializer: Initializer): number => sizeOf(initializer.shape) * ELEMENT_BYTES[initializer.type];

function modelProto() {
  return {
    irVersion: IR_VERSION,
    producerName: 'ragscale',
    opsetImport: [
      { domain: '', version: OPSET_VERSION },
      { domain: MICROSOFT, version: 1 },
    ],
  };
}

function graphProto(graph: Graph) {
  return {
    name: graph.name,
    input: graph.inputs.map(valueInfo),
    output: graph.outputs.map(valueInfo),
    node: graph.nodes.map((node) => ({
      name: node.name,
      opType: node.op,
      domain: node.domain,
      input: [...node.inputs],
      output: [...node.outputs],
      attribute: Object.entries(node.attributes).map(([name, value]) => attribute(name, value)),
    })),
  };
}

function valueInfo(port: Port) {
  const dim = port.shape.map((extent) => (typeof extent === 'number' ? { dimValue: extent } : { dimParam: extent }));
  return { name: port.name, type: { tensorType: { elemType: ELEMENT_TYPES[port.type], shape: { dim } } } };
}

function attribute(name: string, value: Attribute) {
  const { AttributeType } = onnx.AttributeProto;
  if (typeof value === 'number') return { name, type: AttributeType.INT, i: value };
  if ('float' in value) return { name, type: AttributeType.FLOAT, f: value.float };
  return { name, type: AttributeType.INTS, ints: [...value] };
}

/** Tag and length of a length-delimited protobuf field. */
function fieldHead(field: number, bytes: number): Uint8Array {
  return Uint8Array.from([(field << 3) | 2, ...varint(bytes)]);
}

/** Protobuf's variable-length integer: seven bits a byte, lowest first. */
function varint(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) | 128, ...varint(Math.floor(value / 128))];
}

function writeAll(fd: number, bytes: Uint8Array, position?: number): void {
  for (let done = 0; done < bytes.length; ) {
    const length = Math.min(bytes.length - done, 1 << 30);
    done += writeSync(fd, bytes, done, length, position === undefined ? null : position + done);
  }
}

/** How are the tensors of a checkpoint named, described and derived from one another before any of them is read? */

/** A float32 tensor that is read (and converted or computed) only when it is written into the graph. */
export interface Weight {
  readonly name: string;
  readonly shape: readonly number[];
  /** Values in row-major order. Each call reads again: nothing is kept. */
  read(): Float32Array;
}

export const sizeOf = (shape: readonly number[]): number => shape.reduce((product, extent) => product * extent, 1);

/** The tensors one below the other along their first dimension. */
export function concatenate(name: string, parts: readonly Weight[]): Weight {
  const [first] = parts;
  if (first === undefined) throw new RangeError('nothing to concatenate');
  const rows = parts.reduce((sum, part) => sum + (part.shape[0] ?? 0), 0);
  const shape = [rows, ...first.shape.slice(1)];
  return {
    name,
    shape,
    read: () => {
      const joined = new Float32Array(sizeOf(shape));
      let offset = 0;
      for (const part of parts) {
        const values = part.read();
        joined.set(values, offset);
        offset += values.length;
      }
      return joined;
    },
  };
}

/** The tensor without its first `count` rows. */
export function dropRows(name: string, weight: Weight, count: number): Weight {
  const [rows = 0, ...rest] = weight.shape;
  return { name, shape: [rows - count, ...rest], read: () => weight.read().subarray(count * sizeOf(rest)) };
}

/** `table` `[R, C]` with row `row` of `other` `[*, C]` added to each of its rows. */
export function addRow(name: string, table: Weight, other: Weight, row: number): Weight {
  const columns = table.shape[1] ?? 0;
  return {
    name,
    shape: table.shape,
    read: () => {
      const sum = table.read().slice();
      const added = other.read().subarray(row * columns, (row + 1) * columns);
      for (let i = 0; i < sum.length; i++) sum[i] = sum[i]! + added[i % columns]!;
      return sum;
    },
  };
}

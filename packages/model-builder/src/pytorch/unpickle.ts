/**
 * What does a pickle describe? A pickle is a program for a small stack machine. This one knows the few instructions that a state dict
 * needs, asks its host for every name of another module, and runs nothing: a host gives values, never code of the file.
 * The instructions: CPython's Lib/pickletools.py.
 */

/** The pickle is damaged, or asks for something that is refused; the message continues a sentence that begins with the file. */
export class PickleError extends Error {
  override readonly name = 'PickleError';
}

/** A function that a pickle may call, by the host's own code. */
export class Known {
  readonly call: (parameters: readonly unknown[]) => unknown;

  constructor(call: (parameters: readonly unknown[]) => unknown) {
    this.call = call;
  }
}

export interface PickleHost {
  /** What `module.name` stands for. @throws PickleError for all that is not known */
  find(module: string, name: string): unknown;
  /** What lies outside of the pickle under this id. @throws PickleError */
  load(id: unknown): unknown;
}

/** The largest whole numbers that have a meaning here: the first bytes of the legacy format, of ten bytes. */
const MAX_LONG_BYTES = 16;
const MAX_NAME_BYTES = 200;

/** @returns the value (dicts as Map, lists and tuples as arrays) and where the pickle ends in `bytes` @throws PickleError */
export function unpickle(
  bytes: Buffer,
  start: number,
  host: PickleHost,
): { readonly value: unknown; readonly end: number } {
  const machine = new Machine(bytes, start, host);
  return { value: machine.run(), end: machine.position };
}

class Machine {
  position: number;
  readonly #bytes: Buffer;
  readonly #host: PickleHost;
  readonly #stack: unknown[] = [];
  /** Heights of the stack at which MARK was. */
  readonly #marks: number[] = [];
  readonly #memo = new Map<number, unknown>();

  constructor(bytes: Buffer, start: number, host: PickleHost) {
    this.#bytes = bytes;
    this.position = start;
    this.#host = host;
  }

  run(): unknown {
    for (;;) {
      const at = this.position;
      const code = this.#byte();
      if (code === 0x2e /* STOP */) return this.#pop();
      const step = INSTRUCTIONS.get(code);
      if (step === undefined)
        throw new PickleError(
          `uses the pickle instruction 0x${code.toString(16)} at ${at}, which a state dict does not need`,
        );
      step(this);
    }
  }

  #take(length: number): Buffer {
    const end = this.position + length;
    if (end > this.#bytes.length) throw new PickleError(`ends within its pickle, at ${this.#bytes.length}`);
    const taken = this.#bytes.subarray(this.position, end);
    this.position = end;
    return taken;
  }

  #byte(): number {
    return this.#take(1)[0]!;
  }

  #pop(): unknown {
    if (this.#stack.length <= (this.#marks.at(-1) ?? 0))
      throw new PickleError(`has a pickle that takes more than it gave, at ${this.position}`);
    return this.#stack.pop();
  }

  #top(): unknown {
    const value = this.#pop();
    this.#stack.push(value);
    return value;
  }

  #popToMark(): unknown[] {
    const mark = this.#marks.pop();
    if (mark === undefined) throw new PickleError(`has a pickle with an end that was not begun, at ${this.position}`);
    return this.#stack.splice(mark);
  }

  #line(): string {
    const end = this.#bytes.subarray(this.position, this.position + MAX_NAME_BYTES).indexOf(0x0a);
    if (end < 0) throw new PickleError(`has a name without an end at ${this.position}`);
    return this.#take(end + 1).toString('utf8', 0, end);
  }

  static mark(machine: Machine): void {
    machine.#marks.push(machine.#stack.length);
  }

  static skip(bytes: number): Instruction {
    return (machine) => void machine.#take(bytes);
  }

  static constant(make: () => unknown): Instruction {
    return (machine) => void machine.#stack.push(make());
  }

  static integer(bytes: number, read: (taken: Buffer) => number): Instruction {
    return (machine) => void machine.#stack.push(read(machine.#take(bytes)));
  }

  static long(machine: Machine): void {
    const length = machine.#byte();
    if (length > MAX_LONG_BYTES) throw new PickleError(`has a number of ${length} bytes at ${machine.position}`);
    let value = 0n;
    const taken = machine.#take(length);
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(taken[i]!);
    value = BigInt.asIntN(8 * length, value);
    const small = Number(value);
    machine.#stack.push(Number.isSafeInteger(small) ? small : value);
  }

  static text(lengthBytes: 1 | 4, encoding: 'utf8' | 'latin1'): Instruction {
    return (machine) => {
      const head = machine.#take(lengthBytes);
      const length = lengthBytes === 1 ? head[0]! : head.readUInt32LE();
      machine.#stack.push(machine.#take(length).toString(encoding));
    };
  }

  static tuple(length: number): Instruction {
    return (machine) => {
      const items = Array.from({ length }, () => machine.#pop()).reverse();
      machine.#stack.push(items);
    };
  }

  static tupleToMark(machine: Machine): void {
    machine.#stack.push(machine.#popToMark());
  }

  static append(machine: Machine): void {
    const item = machine.#pop();
    machine.#list().push(item);
  }

  static appendToMark(machine: Machine): void {
    const items = machine.#popToMark();
    const list = machine.#list();
    for (const item of items) list.push(item);
  }

  #list(): unknown[] {
    const list = this.#top();
    if (!Array.isArray(list))
      throw new PickleError(`has a pickle that appends to what is no list, at ${this.position}`);
    return list;
  }

  static setItem(machine: Machine): void {
    const value = machine.#pop();
    const key = machine.#pop();
    machine.#dict().set(key, value);
  }

  static setItemsToMark(machine: Machine): void {
    const items = machine.#popToMark();
    const dict = machine.#dict();
    if (items.length % 2 !== 0) throw new PickleError(`has a key without a value at ${machine.position}`);
    for (let i = 0; i < items.length; i += 2) dict.set(items[i], items[i + 1]);
  }

  #dict(): Map<unknown, unknown> {
    const dict = this.#top();
    if (!(dict instanceof Map))
      throw new PickleError(`has a pickle that puts items into what is no dict, at ${this.position}`);
    return dict;
  }

  static put(bytes: 1 | 4): Instruction {
    return (machine) => void machine.#memo.set(machine.#take(bytes).readUIntLE(0, bytes), machine.#top());
  }

  static memoize(machine: Machine): void {
    machine.#memo.set(machine.#memo.size, machine.#top());
  }

  static get(bytes: 1 | 4): Instruction {
    return (machine) => {
      const index = machine.#take(bytes).readUIntLE(0, bytes);
      if (!machine.#memo.has(index))
        throw new PickleError(`has a pickle that refers to nothing, at ${machine.position}`);
      machine.#stack.push(machine.#memo.get(index));
    };
  }

  static global(machine: Machine): void {
    const module = machine.#line();
    machine.#stack.push(machine.#host.find(module, machine.#line()));
  }

  static stackGlobal(machine: Machine): void {
    const [name, module] = [machine.#pop(), machine.#pop()];
    if (typeof name !== 'string' || typeof module !== 'string')
      throw new PickleError(`asks for a name that is no text, at ${machine.position}`);
    machine.#stack.push(machine.#host.find(module, name));
  }

  static persistent(machine: Machine): void {
    machine.#stack.push(machine.#host.load(machine.#pop()));
  }

  static reduce(machine: Machine): void {
    const [parameters, called] = [machine.#pop(), machine.#pop()];
    if (!(called instanceof Known) || !Array.isArray(parameters))
      throw new PickleError(`has a pickle that calls what is no function, at ${machine.position}`);
    machine.#stack.push(called.call(parameters));
  }

  /** Sets attributes: of a dict there are none that matter (`_metadata`), and nothing else may have any. */
  static build(machine: Machine): void {
    machine.#pop();
    machine.#dict();
  }
}

type Instruction = (machine: Machine) => void;

const INSTRUCTIONS: ReadonlyMap<number, Instruction> = new Map<number, Instruction>([
  [0x80, Machine.skip(1)], // PROTO
  [0x95, Machine.skip(8)], // FRAME
  [0x28, Machine.mark], // MARK
  [0x4e, Machine.constant(() => null)], // NONE
  [0x88, Machine.constant(() => true)], // NEWTRUE
  [0x89, Machine.constant(() => false)], // NEWFALSE
  [0x4b, Machine.integer(1, (taken) => taken[0]!)], // BININT1
  [0x4d, Machine.integer(2, (taken) => taken.readUInt16LE())], // BININT2
  [0x4a, Machine.integer(4, (taken) => taken.readInt32LE())], // BININT
  [0x47, Machine.integer(8, (taken) => taken.readDoubleBE())], // BINFLOAT
  [0x8a, Machine.long], // LONG1
  [0x58, Machine.text(4, 'utf8')], // BINUNICODE
  [0x8c, Machine.text(1, 'utf8')], // SHORT_BINUNICODE
  [0x54, Machine.text(4, 'latin1')], // BINSTRING, of Python 2
  [0x55, Machine.text(1, 'latin1')], // SHORT_BINSTRING
  [0x29, Machine.constant(() => [])], // EMPTY_TUPLE
  [0x85, Machine.tuple(1)], // TUPLE1
  [0x86, Machine.tuple(2)], // TUPLE2
  [0x87, Machine.tuple(3)], // TUPLE3
  [0x74, Machine.tupleToMark], // TUPLE
  [0x5d, Machine.constant(() => [])], // EMPTY_LIST
  [0x61, Machine.append], // APPEND
  [0x65, Machine.appendToMark], // APPENDS
  [0x7d, Machine.constant(() => new Map())], // EMPTY_DICT
  [0x73, Machine.setItem], // SETITEM
  [0x75, Machine.setItemsToMark], // SETITEMS
  [0x71, Machine.put(1)], // BINPUT
  [0x72, Machine.put(4)], // LONG_BINPUT
  [0x94, Machine.memoize], // MEMOIZE
  [0x68, Machine.get(1)], // BINGET
  [0x6a, Machine.get(4)], // LONG_BINGET
  [0x63, Machine.global], // GLOBAL
  [0x93, Machine.stackGlobal], // STACK_GLOBAL
  [0x51, Machine.persistent], // BINPERSID
  [0x52, Machine.reduce], // REDUCE
  [0x62, Machine.build], // BUILD
]);

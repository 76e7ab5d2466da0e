/** Is every `.bin` that was made to do harm refused in one line, with nothing of it run and no more memory taken than it has bytes? */
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { BuildError } from '../src/errors.ts';
import { readPytorch } from '../src/pytorch/pytorch-file.ts';
import {
  archive,
  type CraftedTensor,
  call,
  EMPTY_DICT,
  EMPTY_LIST,
  global,
  int,
  MARK,
  NONE,
  pickle,
  SET_ITEM,
  stateDict,
  tensor,
  text,
  tuple,
  zip,
} from './crafted-pickle.ts';
import { scratchFolder } from './scratch-folder.ts';

const folder = scratchFolder();
const marker = path.join(folder, 'it-ran');
const command = text(`touch ${marker}`);

function refusal(bytes: Buffer): string {
  const file = path.join(folder, 'model.bin');
  writeFileSync(file, bytes);
  try {
    readPytorch(file);
  } catch (error) {
    expect(error).toBeInstanceOf(BuildError);
    const { message } = error as Error;
    expect(message).not.toContain('\n');
    expect(message.length).toBeLessThan(400);
    expect(readdirSync(folder)).toEqual(['model.bin']);
    expect(existsSync(marker)).toBe(false);
    return message.replace(file, 'FILE');
  }
  throw new Error('it was not refused');
}

const repeat = (count: number, part: Buffer) => Buffer.alloc(part.length * count, part);
const evil = call(global('os', 'system'), command);

describe('a pickle that calls', () => {
  it.each([
    ['os.system', evil],
    ['posix.system', call(global('posix', 'system'), command)],
    ['builtins.eval', call(global('builtins', 'eval'), text('1'))],
    ['builtins.exec', call(global('builtins', 'exec'), text('1'))],
    ['__builtin__.apply', call(global('__builtin__', 'apply'), text('1'))],
    ['builtins.getattr', call(global('builtins', 'getattr'), text('x'), text('__class__'))],
    ['subprocess.Popen', call(global('subprocess', 'Popen'), tuple(text('sh')))],
    ['torch.load', call(global('torch', 'load'), text('x'))],
    ['torch.hub.load', call(global('torch.hub', 'load'), text('x'))],
    [
      'torch._utils._rebuild_device_tensor_from_numpy',
      call(global('torch._utils', '_rebuild_device_tensor_from_numpy'), tensor()),
    ],
    ['constructor.constructor', call(global('constructor', 'constructor'), text('return process'))],
    ['__proto__.polluted', global('__proto__', 'polluted')],
  ])('%s', (name, value) => {
    expect(refusal(archive(stateDict(value)))).toBe(
      `FILE asks for ${name}, which no weights need: it is refused, and nothing of it was run`,
    );
  });

  it('os.system by the names on the stack (STACK_GLOBAL)', () => {
    const value = Buffer.concat([text('os'), text('system'), Buffer.from([0x93]), tuple(command), Buffer.from('R')]);
    expect(refusal(archive(stateDict(value)))).toContain('FILE asks for os.system');
  });

  it('os.system within the parameters of what is allowed', () => {
    expect(refusal(archive(stateDict(call(global('torch._utils', '_rebuild_parameter'), evil))))).toContain(
      'asks for os.system',
    );
    expect(refusal(archive(stateDict(call(call(global('os', 'system'), command)))))).toContain('asks for os.system');
  });

  it('the result of a call, a tensor or a text as if it were a function', () => {
    for (const called of [call(global('collections', 'OrderedDict')), tensor(), text('eval')]) {
      expect(refusal(archive(stateDict(call(called, command))))).toMatch(
        /^FILE has a pickle that calls what is no function, at \d+$/,
      );
    }
  });

  it.each([
    ['INST', Buffer.from('ios\nsystem\n')],
    ['OBJ', Buffer.from('o')],
    ['NEWOBJ', Buffer.from([0x81])],
    ['NEWOBJ_EX', Buffer.from([0x92])],
    ['EXT1', Buffer.from([0x82, 1])],
    ['PERSID', Buffer.from('Pid\n')],
    ['DUP', Buffer.from('2')],
    ['POP_MARK', Buffer.from('1')],
    ['LONG4', Buffer.from([0x8b, 0xff, 0xff, 0xff, 0x7f])],
    ['BINUNICODE8', Buffer.from([0x8d])],
    ['BYTEARRAY8', Buffer.from([0x96])],
  ])('with the instruction %s, which no state dict needs', (_, instruction) => {
    const value = Buffer.concat([MARK, global('collections', 'OrderedDict'), text('x'), instruction]);
    expect(refusal(archive(stateDict(value)))).toMatch(
      /^FILE uses the pickle instruction 0x[0-9a-f]{2} at \d+, which a state dict does not need$/,
    );
  });

  it('something that sets the attributes of a tensor', () => {
    expect(refusal(archive(stateDict(Buffer.concat([tensor(), EMPTY_DICT, Buffer.from('b')]))))).toContain(
      'into what is no dict',
    );
  });

  it('a name with a line break or a control character in it', () => {
    const value = Buffer.concat([text('os\n\u001b[2J'), text('x'), Buffer.from([0x93])]);
    expect(refusal(archive(stateDict(value)))).toContain('asks for os\\n\\u001b[2J.x');
  });

  it('in the legacy format too', () => {
    const magic = Buffer.from([0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e]);
    expect(refusal(Buffer.concat([magic, pickle(int(1001)), pickle(evil)]))).toContain('asks for os.system');
  });
});

describe('a pickle that is a bomb', () => {
  it('of lists that hold each other twice, sixty deep', () => {
    const doubled = Array.from({ length: 60 }, (_, i) =>
      Buffer.from([0x5d, 0x71, i + 1, 0x28, 0x68, i, 0x68, i, 0x65]),
    );
    expect(refusal(archive(stateDict(Buffer.concat([EMPTY_LIST, Buffer.from([0x71, 0]), ...doubled]))))).toMatch(
      /without tensors|takes more|no dict/,
    );
  });

  it('of one list that is appended to itself', () => {
    const itself = Buffer.concat([EMPTY_LIST, Buffer.from([0x71, 0]), repeat(200_000, Buffer.from([0x68, 0, 0x61]))]);
    expect(refusal(archive(stateDict(itself)))).toContain('a dict without tensors');
  });

  it('of copies: an OrderedDict made from a long list, again and again', () => {
    const list = Buffer.concat([
      EMPTY_LIST,
      Buffer.from([0x71, 0]),
      MARK,
      repeat(100_000, tuple(NONE, NONE)),
      Buffer.from('e'),
    ]);
    const copy = Buffer.concat([global('collections', 'OrderedDict'), Buffer.from([0x68, 0, 0x85, 0x52])]);
    expect(refusal(archive(stateDict(Buffer.concat([list, repeat(10_000, copy)]))))).toContain(
      'makes an OrderedDict from parameters',
    );
  });

  it('of shapes: a tensor of a hundred thousand dimensions', () => {
    const shape = Buffer.concat([MARK, repeat(100_000, int(1)), Buffer.from('t')]);
    expect(refusal(archive(stateDict(tensor({ shape }))))).toContain('from something else than a storage');
  });

  it.each([
    ['tuples', Buffer.from([0x85])],
    ['marks', MARK],
    ['memos', Buffer.from([0x94])],
    ['texts', text('x'.repeat(20))],
  ])('of two hundred thousand %s', (_, part) => {
    expect(refusal(archive(stateDict(Buffer.concat([NONE, repeat(200_000, part)]))))).toMatch(
      /without tensors|takes more|no dict/,
    );
  });

  it('of a memo at the end of the world', () => {
    const value = Buffer.concat([
      NONE,
      Buffer.from([0x72, 0xff, 0xff, 0xff, 0xff]),
      Buffer.from([0x6a, 0xfe, 0xff, 0xff, 0xff]),
    ]);
    expect(refusal(archive(stateDict(value)))).toContain('refers to nothing');
  });

  it.each([
    ['a text of 4 GB', Buffer.from([0x58, 0xff, 0xff, 0xff, 0xff])],
    ['a number of 255 bytes', Buffer.concat([Buffer.from([0x8a, 255]), Buffer.alloc(255, 1)])],
    ['a name without an end', Buffer.concat([Buffer.from('c'), Buffer.alloc(100_000, 'a')])],
  ])('of %s', (_, part) => {
    expect(refusal(archive(stateDict(part)))).toMatch(
      /ends within its pickle|a number of 255 bytes|a name without an end/,
    );
  });
});

describe('a tensor', () => {
  it.each<[string, CraftedTensor, string]>([
    [
      'with more values than its storage',
      { shape: [3, 3] },
      'has a tensor w [3,3] that lies outside its storage of 6 values',
    ],
    [
      'that is one value a billion times',
      { elements: 1, shape: [1_000_000_000], strides: [0] },
      'lies outside its storage of 1 values',
    ],
    ['of 2^53 - 1 values', { shape: [2 ** 53 - 1], strides: [1] }, 'lies outside its storage'],
    [
      'of 2^400 values',
      { shape: [0n, ...Array<number>(7).fill(2 ** 52)].slice(1), strides: Array<number>(7).fill(0) },
      'lies outside its storage',
    ],
    [
      'with a storage of 2^50 values',
      { elements: 2 ** 50, shape: [2 ** 50], strides: [1] },
      `has 24 bytes of data for tensor w instead of ${2 ** 52}`,
    ],
    ['with an offset beyond', { offset: 1 }, 'lies outside its storage'],
    ['with strides beyond', { strides: [100, 1] }, 'lies outside its storage'],
    ['with a negative shape', { shape: [-2, 3] }, 'from something else than a storage'],
    ['with a negative offset', { offset: -1 }, 'from something else than a storage'],
    ['with negative strides', { strides: [-3, 1] }, 'from something else than a storage'],
    ['with a shape beyond 64 bits of float', { shape: [2n ** 62n] }, 'from something else than a storage'],
    ['whose storage has no type', { storage: text('FloatStorage') }, 'outside that is no storage of PyTorch'],
    [
      'whose storage is a function',
      { storage: global('collections', 'OrderedDict') },
      'outside that is no storage of PyTorch',
    ],
    ['whose storage is not there', { key: '1' }, 'has no data for tensor w'],
    ['whose storage is a file elsewhere', { key: '../../../../etc/passwd' }, 'has no data for tensor w'],
    ['whose storage is the pickle', { key: '../data.pkl' }, 'has no data for tensor w'],
  ])('%s', (_, crafted, message) => {
    expect(refusal(archive(stateDict(tensor(crafted))))).toContain(message);
  });

  it('has a name with line breaks', () => {
    expect(refusal(archive(pickle(EMPTY_DICT, text('a\nb'), tensor({ offset: 1 }), SET_ITEM)))).toContain(
      'tensor a\\nb [2,3] that lies outside',
    );
  });
});

describe('an archive', () => {
  const data = { name: 'archive/data.pkl', content: stateDict(tensor()) };
  const storage = { name: 'archive/data/0', content: Buffer.alloc(24) };

  it('that names files outside of it gives their bytes to nobody', () => {
    const traversal = { name: '../../../../tmp/evil', content: Buffer.from('evil') };
    writeFileSync(path.join(folder, 'model.bin'), zip([data, storage, traversal]));
    expect([...readPytorch(path.join(folder, 'model.bin')).keys()]).toEqual(['w']);
    expect(readdirSync(folder)).toEqual(['model.bin']);
  });

  it.each([
    [
      'a bomb: a gigabyte of zeros, compressed',
      [data, { name: 'archive/data/0', content: deflateRawSync(Buffer.alloc(1 << 24)), method: 8, bytes: 2 ** 30 }],
      'is compressed, as torch.save never does',
    ],
    [
      'a compressed pickle',
      [{ ...data, content: deflateRawSync(data.content), method: 8, bytes: data.content.length }, storage],
      'is compressed',
    ],
    ['encrypted', [{ ...data, flags: 1 }, storage], 'is encrypted'],
    ['two of a name', [data, data, storage], '"archive/data.pkl" is in it twice'],
    ['two pickles', [data, { ...data, name: 'other/data.pkl' }, storage], 'not one of PyTorch'],
    ['no pickle', [storage], 'not one of PyTorch (it has no data.pkl)'],
    ['a pickle deeper down', [{ ...data, name: 'a/b/data.pkl' }, storage], 'not one of PyTorch'],
    ['two sizes', [data, { ...storage, bytes: 2 ** 31 }], 'has two sizes'],
  ])('with %s', (_, files, message) => {
    expect(refusal(zip(files))).toContain(message);
  });

  it('whose directory is damaged anywhere says so', () => {
    const whole = zip([data, storage]);
    const end = whole.length - 22;
    const patched = (at: number, value: number) => {
      const bytes = Buffer.from(whole);
      bytes.writeUInt32LE(value, at);
      return bytes;
    };
    const directory = whole.readUInt32LE(end + 16);
    expect(refusal(patched(end + 16, 0xfffffff0))).toContain('its directory lies outside of it');
    expect(refusal(patched(end + 12, 0xfffffff0))).toContain('its directory lies outside of it');
    expect(refusal(patched(directory, 0))).toContain('its directory is not one');
    expect(refusal(patched(directory + 42, 0xfffffff0))).toContain('outside of it');
    expect(refusal(patched(directory + 42, 7))).toContain('there is no entry at 7');
    expect(refusal(patched(directory + 28, 0xffff))).toContain('its directory ends too early');
    expect(refusal(patched(60, 0))).toContain('is damaged: the checksum of its data.pkl is another');
    expect(refusal(whole.subarray(0, end))).toContain('is cut short: a zip archive without its directory at the end');
  });

  it.each(['', 'PK', 'PK\u0003\u0004', 'GGUF', '<html>', 'version https://git-lfs.github.com/spec/v1\n'])(
    'that is %j',
    (content) => {
      expect(refusal(Buffer.from(content))).toMatch(/cut short|is not a file that torch.save writes/);
    },
  );
});

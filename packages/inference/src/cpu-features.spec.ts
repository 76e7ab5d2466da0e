import { expect, it } from 'vitest';
import { int8Saturates } from './cpu-features.ts';

const cpu = (flags: string) => `processor\t: 0\nmodel name\t: x\nflags\t\t: fpu ${flags} sse2\nbugs\t\t: avx_vnni\n`;

it('asks for exact kernels on x86 without VNNI, and only there', () => {
  expect(int8Saturates('x64', cpu('avx2'))).toBe(true);
  expect(int8Saturates('x64', cpu('avx2 avx_vnni'))).toBe(false);
  expect(int8Saturates('x64', cpu('avx512f avx512_vnni'))).toBe(false);
  expect(int8Saturates('x64', '')).toBe(true);
  expect(int8Saturates('arm64', '')).toBe(false);
});

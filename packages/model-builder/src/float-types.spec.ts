/** Do 16-bit floats widen to exactly the values they stand for? */
import { expect, it } from 'vitest';
import { toFloat32 } from './float-types.ts';

const bytesOf = (halves: Uint16Array) => Buffer.from(halves.buffer);

it('widens every binary16 value as IEEE 754 defines it', () => {
  const halves = Uint16Array.from({ length: 1 << 16 }, (_, bits) => bits);
  const widened = toFloat32('F16', bytesOf(halves));
  halves.forEach((bits, i) => {
    const sign = bits & 0x8000 ? -1 : 1;
    const [exponent, fraction] = [(bits >> 10) & 31, bits & 1023];
    const finite = exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15);
    const expected = exponent < 31 ? sign * finite : fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
    if (!Object.is(widened[i], expected))
      throw new Error(`0x${bits.toString(16)} became ${widened[i]} instead of ${expected}`);
  });
});

it('widens bfloat16 by zeros below', () => {
  expect([...toFloat32('BF16', bytesOf(Uint16Array.of(0x3f80, 0xc000, 0x0000, 0x7f80)))]).toEqual([
    1,
    -2,
    0,
    Number.POSITIVE_INFINITY,
  ]);
});

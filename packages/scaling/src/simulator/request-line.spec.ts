import fc from 'fast-check';
import { expect, it } from 'vitest';
import { RequestLine } from './request-line.ts';

it('a line does what a list does', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('append', 'append', 'prepend', 'take'), { maxLength: 500 }), (steps) => {
      const line = new RequestLine();
      const list: number[] = [];
      steps.forEach((step, request) => {
        if (step === 'append') list.push(request);
        if (step === 'prepend') list.unshift(request);
        if (step === 'take') expect(line.take()).toBe(list.shift() ?? -1);
        else line[step as 'append' | 'prepend'](request);
        expect([line.length, line.first]).toEqual([list.length, list[0] ?? -1]);
      });
    }),
  );
});

import { describe, expect, it } from 'vitest';
import { parseSelector, selects } from './selector.ts';

describe('a label selector', () => {
  it.each([
    ['app=rag', { app: 'rag' }, true],
    ['app=rag', { app: 'rag', tier: 'x' }, true],
    ['app=rag', { app: 'other' }, false],
    ['app=rag', {}, false],
    ['app==rag', { app: 'rag' }, true],
    ['app = rag', { app: 'rag' }, true],
    ['app=', { app: '' }, true],
    ['app!=rag', { app: 'other' }, true],
    ['app!=rag', {}, true],
    ['app!=rag', { app: 'rag' }, false],
    ['app in (a,b)', { app: 'b' }, true],
    ['app in (a, b)', { app: 'b' }, true],
    ['app in (a,b)', { app: 'c' }, false],
    ['app in (a,b)', {}, false],
    ['app notin (a,b)', { app: 'c' }, true],
    ['app notin (a,b)', {}, true],
    ['app notin (a,b)', { app: 'a' }, false],
    ['canary', { canary: '' }, true],
    ['canary', {}, false],
    ['!canary', {}, true],
    ['!canary', { canary: 'no' }, false],
    ['app=rag,tier in (a,b),!canary', { app: 'rag', tier: 'a' }, true],
    ['app=rag,tier in (a,b),!canary', { app: 'rag', tier: 'a', canary: '1' }, false],
    ['app.kubernetes.io/name=rag', { 'app.kubernetes.io/name': 'rag' }, true],
    ['constructor', {}, false],
  ])('%s on %j', (selector, labels, expected) => {
    expect(selects(parseSelector(selector), labels as Record<string, string>)).toBe(expected);
  });

  it('means every pod where it asks for nothing', () => {
    expect(parseSelector('')).toEqual([]);
    expect(selects([], {})).toBe(true);
  });

  it.each(['app in a', 'app in (a', '=a', 'a b', 'app=rag,', 'app>1', 'app=ä'])('refuses "%s"', (text) => {
    expect(() => parseSelector(text)).toThrow('is no requirement');
  });
});

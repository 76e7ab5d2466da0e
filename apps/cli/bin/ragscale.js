#!/usr/bin/env -S node --conditions=source
// Runs from source: Node strips the types, so `npx ragscale` works in a checkout that was never built.
await import('../src/main.ts');

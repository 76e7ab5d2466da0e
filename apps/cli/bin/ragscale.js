#!/usr/bin/env node
// What does `npx ragscale` run? The built command line (`npm run build`).
import '../dist/main.js';

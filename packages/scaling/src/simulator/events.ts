/** What can happen besides an arrival? */

export const EVENTS = {
  podReady: 0,
  podDone: 1,
  crash: 2,
  deadline: 3,
  proxyRestart: 4,
  scrape: 5,
  databaseLost: 6,
  controllerRestart: 7,
  decide: 8,
  sample: 9,
} as const;

/**
 * What did others publish of the same load? The design that ragscale began with, measured by its authors: 1,000 requests at each rate, a language
 * model on one GPU. Only these figures of it are known here, not its curves.
 */

export interface Published {
  /** Which of our designs it is the counterpart of. */
  readonly design: string;
  readonly label: string;
  /** Answers a second that it does not get beyond. */
  readonly mostPerSecond: number;
  /** Mean latency of a request that is alone. */
  readonly aloneMs?: number;
}

export const PUBLISHED: readonly Published[] = [
  { design: 'baseline', label: 'baseline as published (a GPU)', mostPerSecond: 13, aloneMs: 50 },
  // Half a second is waited for company.
  { design: 'batched', label: 'batched as published (a GPU)', mostPerSecond: 30, aloneMs: 414 },
  { design: 'scaled', label: 'scaled as published (a GPU)', mostPerSecond: 52 },
];

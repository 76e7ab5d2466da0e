/** May this process decide? At most one may at any time. */

export interface Leadership {
  /**
   * How long from now, in milliseconds, this process surely is the only one to decide; 0 or less: it must not. A write that could take longer
   * must not be begun.
   */
  remainingMs(): number;
}

/** Where nobody else could. */
export const ALONE: Leadership = { remainingMs: () => Number.POSITIVE_INFINITY };

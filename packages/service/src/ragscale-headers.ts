/** Which headers do the parts of ragscale tell each other things in? */

/** On every response of a pod that is ready: questions that it can work on at once. Absent before. */
export const SLOTS_HEADER = 'x-ragscale-slots';

/** Of a pod that answers as one of several variants: which. */
export const VARIANT_HEADER = 'x-ragscale-variant';

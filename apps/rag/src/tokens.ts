/** Names under which Nest injects what has no class of its own to be named by. */
export const LIFECYCLE = Symbol('lifecycle');
export const METRICS = Symbol('metrics');
export const ANSWER_GATE = Symbol('answer gate');

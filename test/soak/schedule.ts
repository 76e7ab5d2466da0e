/** Which fault begins when, and how long does it last? Drawn from a seed, so that what a run found can be met again. */
import { FAULTS, type FaultKind, faultOf, goTogether, PARTS, type Part } from './faults.ts';

export interface PlannedFault {
  readonly kind: FaultKind;
  /** Milliseconds from the start of the load. */
  readonly fromMs: number;
  readonly toMs: number;
  /** From 0 to 1: which of those that could be hit. */
  readonly draw: number;
}

export interface SchedulePlan {
  readonly minutes: number;
  readonly kinds: readonly FaultKind[];
}

/** Nothing happens at the beginning, so that there is something to compare with, nor at the end, where all has to be well again. */
const CALM_MS = 10_000;
const LAST_CALM_MS = 20_000;
/** Between two faults that do not go together. */
const APART_MS = 3_000;
/** From here on faults may be as long as they are allowed to; in shorter runs there are many short ones. */
const UNHURRIED_MINUTES = 15;

/** In this order: what most others do not go with takes its place first. */
const PLACED: readonly Part[] = ['control', 'pods', 'proxies'];

/** For each part one fault after the other, each kind as often as the others to within one, with pauses that nobody can foresee. */
export function faultSchedule({ minutes, kinds }: SchedulePlan, random: () => number): PlannedFault[] {
  const endMs = minutes * 60_000 - LAST_CALM_MS;
  const quickestMs = Math.min(30_000, Math.max(2_000, minutes * 1_000));
  const planned: PlannedFault[] = [];
  const most = Math.max(...PARTS.map((part) => kindsOf(part, kinds).length));
  for (const part of PLACED) {
    const own = kindsOf(part, kinds);
    const bag = new Bag(own, random);
    // Where there are fewer kinds they come as rarely as the others: what dies often is started anew later each time.
    const paceMs = quickestMs * (most / Math.max(1, own.length));
    const pause = () => paceMs - paceMs * Math.log(1 - random());
    let atMs = CALM_MS + pause() - paceMs;
    // When one finds no room, the others of its round still may.
    for (let isLastRound = false; bag.size > 0 && !(isLastRound && bag.isEmpty); ) {
      const kind = bag.draw();
      const lengthMs = lengthOf(kind, minutes, random);
      const fromMs = firstFree(planned, kind, atMs, lengthMs);
      if (fromMs + lengthMs > endMs) {
        isLastRound = true;
        continue;
      }
      planned.push({ kind, fromMs: Math.round(fromMs), toMs: Math.round(fromMs + lengthMs), draw: random() });
      atMs = fromMs + lengthMs + pause();
    }
  }
  return planned.toSorted((a, b) => a.fromMs - b.fromMs);
}

function kindsOf(part: Part, kinds: readonly FaultKind[]): FaultKind[] {
  return kinds.filter((kind) => FAULTS[kind].part === part);
}

function lengthOf(kind: FaultKind, minutes: number, random: () => number): number {
  const [shortest, longest] = faultOf(kind).seconds;
  const allowed = shortest + (longest - shortest) * Math.min(1, minutes / UNHURRIED_MINUTES);
  return 1_000 * (shortest + (allowed - shortest) * random());
}

/** Not before `atMs`, and apart from all that it does not go with. */
function firstFree(planned: readonly PlannedFault[], kind: FaultKind, atMs: number, lengthMs: number): number {
  const inTheWay = planned.filter((other) => !goTogether(kind, other.kind)).toSorted((a, b) => a.fromMs - b.fromMs);
  let fromMs = atMs;
  for (const other of inTheWay) {
    const isApart = fromMs + lengthMs + APART_MS <= other.fromMs || fromMs >= other.toMs + APART_MS;
    if (!isApart) fromMs = other.toMs + APART_MS;
  }
  return fromMs;
}

/** Draws without putting back, and is filled again when it is empty. */
class Bag {
  readonly #all: readonly FaultKind[];
  readonly #random: () => number;
  #left: FaultKind[] = [];

  constructor(all: readonly FaultKind[], random: () => number) {
    this.#all = all;
    this.#random = random;
  }

  get size(): number {
    return this.#all.length;
  }

  get isEmpty(): boolean {
    return this.#left.length === 0;
  }

  draw(): FaultKind {
    if (this.#left.length === 0) this.#left = [...this.#all];
    const [drawn] = this.#left.splice(Math.floor(this.#random() * this.#left.length), 1);
    return drawn as FaultKind;
  }
}

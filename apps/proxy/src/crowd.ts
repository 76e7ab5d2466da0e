/**
 * Those that are there at the moment, tens of thousands coming and going in a second. A `Set` would do, were it not for its garbage: V8
 * leaves a table behind whenever many have left, each keeps the next and all that was in it, and they outlive many collections.
 */

/** Who can be in one crowd at a time. */
export interface Member {
  /** Its place while it is in the crowd, -1 otherwise; nobody else's business. */
  seat: number;
}

export class Crowd<M extends Member> {
  readonly #members: M[] = [];

  get size(): number {
    return this.#members.length;
  }

  /** Who is in already stays. */
  add(member: M): void {
    if (member.seat < 0) member.seat = this.#members.push(member) - 1;
  }

  /** Who is not in it stays away. */
  delete(member: M): void {
    const { seat } = member;
    if (seat < 0) return;
    member.seat = -1;
    const last = this.#members.pop()!;
    if (last === member) return;
    this.#members[seat] = last;
    last.seat = seat;
  }

  /** Those of this moment, in no order, whoever comes or goes meanwhile. */
  all(): readonly M[] {
    return [...this.#members];
  }
}

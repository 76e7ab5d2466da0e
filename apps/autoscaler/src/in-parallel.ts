/** How is the same done for many without doing it for all at once? */

/** Begins with the first ones; resolves when `work` is done for all. @throws whatever `work` throws first, when those under way are done */
export async function inParallel<T>(
  atOnce: number,
  items: Iterable<T>,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const rest = items[Symbol.iterator]();
  const takeOne = async (): Promise<void> => {
    for (let next = rest.next(); !next.done; next = rest.next()) await work(next.value);
  };
  const results = await Promise.allSettled(Array.from({ length: atOnce }, takeOne));
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

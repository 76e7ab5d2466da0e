/** How is told what takes how long? A line for each phase, when it has ended. */
export class Phases {
  readonly #startedAt = performance.now();

  /** @throws what `work` throws, after a line that says which phase it was */
  async run<T>(name: string, work: () => Promise<T>): Promise<T> {
    const startedAt = performance.now();
    try {
      const result = await work();
      console.log(`${seconds(startedAt)}  ${name}`);
      return result;
    } catch (error) {
      console.log(`${seconds(startedAt)}  ${name}: failed`);
      throw error;
    }
  }

  end(words: string): void {
    console.log(`${seconds(this.#startedAt)}  ${words}`);
  }
}

function seconds(since: number): string {
  return `${((performance.now() - since) / 1000).toFixed(1).padStart(6)} s`;
}

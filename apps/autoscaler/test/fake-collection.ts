/** A collection for tests of what is watched: it says what the test puts into it, or fails as the test wants. */
import type { Listed, ListedObject, ListWatchClient, WatchRequest } from '@ragscale/kubernetes/list-watch';

export class FakeCollection<T extends ListedObject> implements ListWatchClient<T> {
  items: readonly T[] = [];
  /** Of the next list, and of each until it is undefined again. */
  failure: Error | undefined;
  lists = 0;
  #break: (error: Error) => void = () => undefined;

  async list(): Promise<Listed<T>> {
    this.lists++;
    if (this.failure) throw this.failure;
    return { items: this.items, resourceVersion: `${this.lists}` };
  }

  watch({ onOpen }: WatchRequest<T>, signal: AbortSignal): Promise<void> {
    onOpen();
    return new Promise((_, reject) => {
      this.#break = reject;
      signal.addEventListener('abort', () => reject(signal.reason));
    });
  }

  /** The open watch ends with an error, and so does every list. */
  fail(error: Error): void {
    this.failure = error;
    this.#break(error);
  }
}

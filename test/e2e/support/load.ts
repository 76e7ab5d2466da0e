/** What becomes of every request of a load that no answer can delay? Poisson arrivals from a seed; each is accounted for. */
import { exponential, seededRandom } from '@ragscale/scaling/simulator/random';
import { Agent } from 'undici';
import { type Account, accountOf, type RequestRecord } from './account.ts';
import { ask, type Question } from './ask.ts';

/** Longer than the longest deadline that the chart gives a request. */
const PATIENCE_MS = 150_000;
const QUESTIONS = [
  'Which animals can hover in the air?',
  'What do hummingbirds eat?',
  'How fast can a cheetah run?',
  'Which bird flies backwards?',
];

export interface LoadOptions {
  readonly seed?: number;
  /** Share of the requests that ask for a stream, from 0 to 1; a third unless given. */
  readonly streamed?: number;
  readonly maxTokens?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

export class Load implements AsyncDisposable {
  readonly #url: string;
  readonly #streamed: number;
  readonly #maxTokens: number;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #arrivals: () => number;
  readonly #choices: () => number;
  readonly #agent = new Agent({ headersTimeout: PATIENCE_MS, bodyTimeout: PATIENCE_MS });
  readonly #records: RequestRecord[] = [];
  readonly #pending = new Set<Promise<void>>();
  #perSecond = 0;
  #nextAt = Number.POSITIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #asked = 0;

  /** @param url of the proxy, without a path; nothing is asked before `perSecond` is set */
  constructor(url: string, { seed = 1, streamed = 1 / 3, maxTokens = 12, headers = {} }: LoadOptions = {}) {
    this.#url = url;
    this.#streamed = streamed;
    this.#maxTokens = maxTokens;
    this.#headers = headers;
    this.#arrivals = seededRandom(seed, 0);
    this.#choices = seededRandom(seed, 1);
  }

  /** Requests per second, from now on. What has no memory may be drawn anew at any moment. */
  set perSecond(rate: number) {
    this.#perSecond = rate;
    this.#nextAt = rate > 0 ? performance.now() + this.#gapMs() : Number.POSITIVE_INFINITY;
    this.#await();
  }

  /** Of requests that ended. */
  get records(): readonly RequestRecord[] {
    return this.#records;
  }

  /** @param since only requests that were due from this time on, in milliseconds of Unix time */
  account(since = 0): Account {
    return accountOf(this.#records.filter(({ dueAt }) => dueAt >= since));
  }

  /** One request beside the others; it is accounted for as they are. */
  async ask(question: Partial<Question> = {}): Promise<RequestRecord> {
    return this.#send(performance.now(), { ...this.#question(), stream: false, ...question });
  }

  /** No more is asked; resolves when everything has ended. */
  async end(): Promise<Account> {
    this.perSecond = 0;
    await Promise.all(this.#pending);
    return this.account();
  }

  /** Resolves when so many more have ended. */
  async more(count: number): Promise<void> {
    const until = this.#records.length + count;
    while (this.#records.length < until) {
      if (this.#perSecond === 0 && this.#pending.size === 0) throw new Error('nothing is asked any more');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.perSecond = 0;
    await this.#agent.destroy();
    await Promise.all(this.#pending);
  }

  #gapMs(): number {
    return (1_000 * exponential(this.#arrivals)) / this.#perSecond;
  }

  #await(): void {
    clearTimeout(this.#timer);
    if (!Number.isFinite(this.#nextAt)) return;
    this.#timer = setTimeout(() => this.#sendDue(), Math.max(0, this.#nextAt - performance.now()));
  }

  /** A late timer sends all that was due meanwhile: the arrivals are what they are. */
  #sendDue(): void {
    for (; this.#nextAt <= performance.now(); this.#nextAt += this.#gapMs()) {
      const sent: Promise<void> = this.#send(this.#nextAt, this.#question()).then(() => {
        this.#pending.delete(sent);
      });
      this.#pending.add(sent);
    }
    this.#await();
  }

  #question(): Question {
    const query = QUESTIONS[this.#asked++ % QUESTIONS.length] as string;
    return { query, max_tokens: this.#maxTokens, stream: this.#choices() < this.#streamed };
  }

  async #send(due: number, question: Question): Promise<RequestRecord> {
    const sent = performance.now();
    const reply = await ask({ url: this.#url, dispatcher: this.#agent, headers: this.#headers }, question);
    const record = {
      ...reply,
      streamed: question.stream,
      dueAt: performance.timeOrigin + due,
      lagMs: sent - due,
      durationMs: performance.now() - due,
    };
    this.#records.push(record);
    return record;
  }
}

/** What is a scenario? Something to measure of several proxies, and the words and table that tell it. */
import { type Peer, type PeerName, type PeerOptions, startPeer } from './peers.ts';

export interface Context {
  /** Short: to see that everything runs. Such numbers mean little. */
  readonly quick: boolean;
  /** Those of the scenario's peers that take part. */
  readonly peers: readonly PeerName[];
  readonly progress: (what: string) => void;
}

export interface Scenario<Section> {
  readonly name: string;
  /** In the order of the table. */
  readonly peers: readonly PeerName[];
  /** Programs without which nothing can be measured. */
  readonly needs: readonly string[];
  measure(context: Context): Promise<Section>;
  /** Markdown; its first line is the heading. */
  tell(section: Section): string;
}

/** Runs `work` with all of them up at once, so that they can take turns; they end with it. */
export async function withPeers<Result>(
  names: readonly PeerName[],
  options: PeerOptions,
  work: (peers: readonly Peer[]) => Promise<Result>,
): Promise<Result> {
  const peers: Peer[] = [];
  try {
    for (const name of names) peers.push(await startPeer(name, options));
    return await work(peers);
  } finally {
    await Promise.all(peers.map((peer) => peer.stop()));
  }
}

/** `rounds` visits of each in turns: who comes first changes, so that a machine that gets slower or faster does it to all. */
export async function inTurns(
  peers: readonly Peer[],
  rounds: number,
  visit: (peer: Peer, round: number) => Promise<void>,
): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    for (const peer of round % 2 === 0 ? peers : peers.toReversed()) await visit(peer, round);
  }
}

/** The documents of a pod that was given none. */
import type { SourceDocument } from './documents.ts';

export const DEFAULT_DOCUMENTS: readonly SourceDocument[] = [
  { id: 'cats', format: 'plain', text: 'Cats are small furry carnivores that are often kept as pets.' },
  { id: 'dogs', format: 'plain', text: 'Dogs are domesticated mammals, not natural wild animals.' },
  { id: 'hummingbirds', format: 'plain', text: 'Hummingbirds can hover in mid-air by rapidly flapping their wings.' },
];

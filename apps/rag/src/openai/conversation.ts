/** From the messages of a conversation to one question: its instructions, what was said before, what is asked now. */
import { ServiceError } from '@ragscale/service/error-catalogue';
import type { Question } from '../answerer.ts';

export type Role = 'system' | 'developer' | 'user' | 'assistant';

export interface Message {
  readonly role: Role;
  readonly content: string;
}

/** Messages of one author in a row are one message. */
const BETWEEN_MESSAGES = '\n\n';

/**
 * Instructions may stand anywhere; the rest is question, answer, question, ..., and ends with a question.
 * @throws ServiceError invalid_request naming the message that does not fit
 */
export function conversationOf(messages: readonly Message[]): Pick<Question, 'query' | 'instructions' | 'turns'> {
  const last = messages.length - 1;
  if (messages[last]?.role !== 'user') throw misplaced(last, 'role', 'the last message must be from the user');
  if (messages[last].content.trim() === '') throw misplaced(last, 'content', 'must not be empty');
  const questions: string[][] = [];
  const answers: string[][] = [];
  const instructions: string[] = [];
  messages.forEach(({ role, content }, index) => {
    switch (role) {
      case 'system':
      case 'developer':
        instructions.push(content);
        break;
      case 'assistant':
        if (questions.length === 0)
          throw misplaced(index, 'role', 'a message of the assistant must follow one of the user');
        if (answers.length < questions.length) answers.push([]);
        answers.at(-1)?.push(content);
        break;
      case 'user':
        if (questions.length === answers.length) questions.push([]);
        questions.at(-1)?.push(content);
    }
  });
  const asked = questions.map((parts) => parts.join(BETWEEN_MESSAGES));
  const turns = answers.map((parts, index) => ({ question: asked[index] ?? '', answer: parts.join(BETWEEN_MESSAGES) }));
  const told = instructions.join(BETWEEN_MESSAGES).trim();
  return {
    query: asked.at(-1) ?? '',
    ...(told === '' ? {} : { instructions: told }),
    ...(turns.length === 0 ? {} : { turns }),
  };
}

function misplaced(index: number, field: 'role' | 'content', problem: string): ServiceError {
  const param = `messages.${index}.${field}`;
  return new ServiceError('invalid_request', { detail: `${param}: ${problem}` }, { param });
}

import { expect, it } from 'vitest';
import { conversationOf, type Message } from './conversation.ts';

const said = (...lines: string[]): Message[] =>
  lines.map((line) => {
    const [role = '', ...content] = line.split(': ');
    return { role: role as Message['role'], content: content.join(': ') };
  });

it.each([
  [said('user: a?'), { query: 'a?' }],
  [said('system: s', 'user: a?'), { query: 'a?', instructions: 's' }],
  [said('system:  ', 'user: a?'), { query: 'a?' }],
  [
    said('system: s', 'user: a?', 'developer: d', 'assistant: A', 'user: b?'),
    { query: 'b?', instructions: 's\n\nd', turns: [{ question: 'a?', answer: 'A' }] },
  ],
  [
    said('user: a?', 'user: b?', 'assistant: A', 'assistant: B', 'user: c?', 'assistant: C', 'user: d?', 'user: e?'),
    {
      query: 'd?\n\ne?',
      turns: [
        { question: 'a?\n\nb?', answer: 'A\n\nB' },
        { question: 'c?', answer: 'C' },
      ],
    },
  ],
  [said('user: a?', 'system: s', 'user: b?'), { query: 'a?\n\nb?', instructions: 's' }],
])('%j is one question', (messages, question) => {
  expect(conversationOf(messages)).toEqual(question);
});

it.each([
  [said('system: s'), 'messages.0.role'],
  [said('assistant: A', 'user: a?'), 'messages.0.role'],
  [said('system: s', 'assistant: A', 'user: a?'), 'messages.1.role'],
  [said('user: a?', 'assistant: A'), 'messages.1.role'],
  [said('user: a?', 'system: s'), 'messages.1.role'],
  [said('user: a?', 'user: \n'), 'messages.1.content'],
])('%j is none', (messages, param) => {
  expect(() => conversationOf(messages)).toThrow(expect.objectContaining({ code: 'invalid_request', param }));
});

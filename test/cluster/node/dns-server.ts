/** How do questions of DNS arrive and answers leave? In datagrams, and over TCP where an answer is too long for one. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { type Answer, type Question, readQuestion, writeAnswer } from './dns-message.ts';

const MOST_BYTES = 0xffff;

export interface DnsServer extends Disposable {
  readonly port: number;
}

/** @param port 0: a free one */
export async function serveDns(
  address: string,
  port: number,
  find: (question: Question) => Answer,
): Promise<DnsServer> {
  const streams = createServer((socket) => answerStream(socket, find));
  streams.listen(port, address);
  await once(streams, 'listening');
  const { port: taken } = streams.address() as AddressInfo;

  const datagrams = createSocket('udp4');
  datagrams.on('message', (message, from) => {
    const question = questionOf(message);
    if (question) datagrams.send(writeAnswer(question, find(question)), from.port, from.address);
  });
  datagrams.bind(taken, address);
  await once(datagrams, 'listening');
  return {
    port: taken,
    [Symbol.dispose]: () => {
      datagrams.close();
      streams.close();
    },
  };
}

/** Each question and each answer after its length. */
function answerStream(socket: Socket, find: (question: Question) => Answer): void {
  let received = Buffer.alloc(0);
  socket.on('error', () => socket.destroy());
  socket.on('data', (part) => {
    received = Buffer.concat([received, part]);
    while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
      const end = 2 + received.readUInt16BE(0);
      const question = questionOf(received.subarray(2, end));
      received = received.subarray(end);
      if (question === undefined) {
        socket.destroy();
        return;
      }
      const reply = writeAnswer(question, find(question), MOST_BYTES);
      const length = Buffer.alloc(2);
      length.writeUInt16BE(reply.length);
      socket.write(Buffer.concat([length, reply]));
    }
  });
}

/** Undefined where it is none. */
function questionOf(message: Buffer): Question | undefined {
  try {
    return readQuestion(message);
  } catch {
    return undefined;
  }
}

/** A client that still sends gets to read why it was refused: a connection that is closed over unread bytes is reset, and its answer lost. */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

/** What is read and thrown away meanwhile: whoever sends more does not listen, in bytes and milliseconds. */
const MAX_BYTES = 4_194_304;
const MAX_MS = 2_000;

/**
 * The connection will end in two steps, for writing and then for reading (RFC 9112, 9.6). To be called before an answer that ends it,
 * when nobody reads the body any more.
 */
export function lingerAfter(request: IncomingMessage): void {
  const { socket } = request;
  // What Node calls when the answer that ends the connection has left.
  socket.destroySoon = () => {
    socket.destroySoon = () => undefined;
    socket.end();
    const maxRead = lingerOn(socket);
    request.unpipe();
    request.on('data', () => {
      if (socket.bytesRead > maxRead) socket.destroy();
    });
    request.once('end', () => socket.destroy());
    if (request.readableEnded) socket.once('finish', () => socket.destroy());
    request.resume();
  };
}

/**
 * For a socket that has ended for writing: a client that does not close its side loses it.
 * @returns how much may have been read of it when it has to be destroyed
 */
export function lingerOn(socket: Socket): number {
  const timer = setTimeout(() => socket.destroy(), MAX_MS);
  socket.once('close', () => clearTimeout(timer));
  return socket.bytesRead + MAX_BYTES;
}

/** `String.trim` for text that comes in pieces: what is let through, put together, is the whole text trimmed. */

export class TrimmedText {
  #begun = false;
  /** White space that is only let through when something follows it. */
  #held = '';

  /** Takes the next piece; returns what of the text is certain now, which may be nothing. */
  push(piece: string): string {
    const text = this.#held + piece;
    const visible = this.#begun ? text.trimEnd() : text.trim();
    this.#held = this.#begun || visible !== '' ? text.slice(text.trimEnd().length) : '';
    if (visible !== '') this.#begun = true;
    return visible;
  }
}

/** A line of Markdown that is read from left to right: what containers have taken of it, and its next character. */
export class Line {
  /** Index of the next character that is neither space nor tab; the length where there is none. */
  private at = 0;
  /** Column of that character, where tabs reach to the next multiple of four. */
  private column = 0;
  /** Column up to which containers have taken the line. */
  private taken = 0;

  constructor(private readonly text: string) {
    this.skipWhiteSpace();
  }

  /** What is left, without its indentation. */
  get rest(): string {
    return this.text.slice(this.at);
  }

  get isBlank(): boolean {
    return this.at === this.text.length;
  }

  /** Columns between what was taken and the next character. */
  get indent(): number {
    return this.column - this.taken;
  }

  /** Index of the next character in the whole line. */
  get index(): number {
    return this.at;
  }

  /** Takes columns of the indentation. */
  takeIndent(columns: number): void {
    this.taken += columns;
  }

  /** Takes so many characters with the indentation before them. */
  takeMarker(length: number): void {
    this.at += length;
    this.column += length;
    this.taken = this.column;
    this.skipWhiteSpace();
  }

  private skipWhiteSpace(): void {
    for (; this.text[this.at] === ' ' || this.text[this.at] === '\t'; this.at += 1) {
      this.column += this.text[this.at] === '\t' ? 4 - (this.column % 4) : 1;
    }
  }
}

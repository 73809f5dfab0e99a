import type { PromptTokenizer } from '../read/tokenizer/tokenizer';

/** Tokens that are decoded after the end of the prompt: a tokenizer may decode the first token of a text in another way. */
const contextTokens = 8;

/** The text of tokens that follow a prompt. */
export class TokenText {
  private readonly ids: number[];
  private readonly from: number;
  private before: string;

  constructor(
    private readonly tokenizer: PromptTokenizer,
    prompt: Int32Array,
  ) {
    this.ids = [...prompt.slice(-contextTokens)];
    this.before = tokenizer.decode(this.ids);
    this.from = this.before.length;
  }

  /** The text of all tokens so far. */
  get whole(): string {
    return this.before.slice(this.from);
  }

  /** Adds a token. @returns the text that came with it */
  add(id: number): string {
    this.ids.push(id);
    const now = this.tokenizer.decode(this.ids);
    // What was half of a character until now is a whole one.
    const stable = this.before.replace(/\uFFFD+$/u, '').length;
    this.before = now;
    return now.slice(Math.max(stable, this.from));
  }
}

import type { FoundToken } from './added-tokens';
import { isSpace } from './characters';
import type { Pipeline } from './codec';
import { type Check, TokenBuffer } from './model';
import type { Scanner } from './scanner';
import { TextWindow } from './text-window';

/**
 * What reading finds at an offset: the start of the text between added tokens (`part`), the same in normalized text
 * (`section`), or the start of a piece within (`piece`).
 */
export type Place = 'part' | 'section' | 'piece';

/** Pieces between two checks. */
const checkEvery = 2048;

/**
 * Tokenizes a text from left to right, piece by piece, from any place where that gives the same tokens as from the start.
 *
 * Token offsets are UTF-16 code units of the text.
 */
export class TokenReader {
  /** Tokens so far. The caller may empty it between steps. */
  readonly out = new TokenBuffer();
  /** Where the text goes on. */
  position: number;
  /** What is there; undefined if reading cannot start there. */
  place: Place | undefined;
  /** One past the last code unit that decided any token so far. */
  reach = 0;
  private readonly scanner: Scanner;
  private window: TextWindow | undefined;
  /** Where in the window reading goes on. */
  private at = 0;
  /** Whether a section begins there. */
  private isFresh = false;
  private isFreshPart = false;
  private section: { readonly end: number; readonly last: boolean; readonly token: FoundToken | undefined } | undefined;
  private steps = 0;

  /** @param from and place: where reading starts, as a reader of this text found it */
  constructor(
    private readonly pipeline: Pipeline,
    private readonly prompt: string,
    from: number,
    place: Place,
    private readonly check: Check,
  ) {
    this.position = from;
    this.place = place;
    this.scanner = pipeline.preTokenizer.scanner();
  }

  /** Reads on by one piece or one added token. @returns false at the end of the text */
  step(): boolean {
    this.steps += 1;
    if (this.steps % checkEvery === 0) {
      this.check();
    }
    for (;;) {
      const window = this.window ?? this.open();
      if (window === undefined) {
        return false;
      }
      const { end, last, token } = (this.section ??= this.findSection(window));
      if (this.at < end) {
        if (this.isFresh) {
          this.begin(window);
          continue;
        }
        if (this.scanner.next(window.text, this.at, end, last)) {
          this.takePiece(window);
          return true;
        }
      } else if (last) {
        this.takeToken(window, token);
        return true;
      }
      this.extend(window);
    }
  }

  private open(): TextWindow | undefined {
    if (this.position >= this.prompt.length) {
      return undefined;
    }
    this.window = new TextWindow(this.pipeline, this.prompt, this.position);
    this.at = 0;
    this.isFreshPart = this.place === 'part';
    this.isFresh = this.place !== 'piece';
    this.section = undefined;
    this.window.extend(0);
    const { prefix } = this.pipeline.normalizer;
    if (this.place === 'part' && prefix !== '') {
      while (this.window.text === '' && !this.window.complete) {
        this.window.extend(0);
      }
      if (this.window.text !== '') {
        this.window.insert(0, prefix);
      }
    }
    return this.window;
  }

  private extend(window: TextWindow): void {
    window.extend(this.at);
    this.at = 0;
    this.section = undefined;
  }

  /** The end of this section's text that was read so far, and whether it is its last. */
  private findSection(window: TextWindow): NonNullable<TokenReader['section']> {
    const { normalizedTokens } = this.pipeline;
    const { text, complete } = window;
    if (normalizedTokens.isEmpty) {
      return { end: text.length, last: complete, token: undefined };
    }
    const known = complete ? text.length : Math.max(this.at, text.length - normalizedTokens.longest - 1);
    const token = normalizedTokens.find(text, this.at, known);
    if (token !== undefined && (complete || token.to < text.length)) {
      return { end: token.from, last: true, token };
    }
    let end = token === undefined ? known : token.from;
    while (!complete && normalizedTokens.takesLeft && end > this.at && isSpace(text, end - 1)) {
      end -= 1;
    }
    return { end, last: complete, token: undefined };
  }

  /** Puts before a section what the pre-tokenizer wants there. */
  private begin(window: TextWindow): void {
    const { prefix, blank } = this.pipeline.preTokenizer;
    const isFirst = this.isFreshPart && window.originOf(this.at) === 0;
    this.isFresh = false;
    this.isFreshPart = false;
    if (prefix?.before === 'text' || (prefix?.before === 'first' && isFirst)) {
      const start = window.text[this.at];
      if (!(start === prefix.text || (blank !== ' ' && start === ' '))) {
        window.insert(this.at, prefix.text);
        this.at = 0;
        this.section = undefined;
      }
    }
  }

  private takePiece(window: TextWindow): void {
    const { scanner, out } = this;
    const { model, preTokenizer, normalizedTokens } = this.pipeline;
    const { from, to } = scanner;
    if (to > from) {
      const { prefix, blank } = preTokenizer;
      let piece = window.text.slice(from, to);
      if (blank !== ' ') {
        piece = piece.replaceAll(' ', blank);
      }
      const before = prefix?.before === 'piece' && !piece.startsWith(prefix.text) ? prefix.text : '';
      const first = out.length;
      model.encode(before + piece, out, this.check);
      const { starts } = out;
      for (let index = first; index < out.length; index += 1) {
        starts[index] = window.originOf(from + Math.max(0, starts[index] - before.length));
      }
    }
    this.at = to;
    this.position = window.originOf(to);
    this.place = scanner.restarts && window.restartsAt(to) ? 'piece' : undefined;
    if (this.place !== undefined) {
      this.look(window, scanner.reach, normalizedTokens.longest);
    }
  }

  /** Notes how far the text was looked at. */
  private look(window: TextWindow, reach: number, more: number): void {
    const { text } = window;
    let at = Math.max(reach, this.at);
    if (more > 0) {
      while (this.pipeline.normalizedTokens.takesLeft && at < text.length && isSpace(text, at)) {
        at += 1;
      }
      at += more + 1;
    }
    this.reach = Math.max(this.reach, window.reachOf(at));
  }

  /** Takes the added token at the end of a section; undefined: the end of the window. */
  private takeToken(window: TextWindow, token: FoundToken | undefined): void {
    if (token !== undefined) {
      this.out.push(token.id, window.originOf(token.from));
      this.at = token.to;
      this.section = undefined;
      this.isFresh = true;
      this.position = window.originOf(this.at);
      this.place = window.restartsAt(this.at) ? 'section' : undefined;
      this.look(window, this.at, this.pipeline.normalizedTokens.longest);
      return;
    }
    const { found } = window;
    this.reach = Math.max(this.reach, window.reachOf(window.text.length + 1));
    if (found !== undefined) {
      this.out.push(found.id, found.from);
    }
    this.position = found?.to ?? this.prompt.length;
    this.place = 'part';
    this.window = undefined;
  }
}

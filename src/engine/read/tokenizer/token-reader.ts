import type { FoundToken } from './added-tokens';
import { isSpace, splitsPair } from './characters';
import type { Pipeline } from './codec';
import { type Check, TokenBuffer } from './model';
import type { Scanner } from './scanner';
import { TextWindow } from './text-window';

/**
 * What reading finds at an offset: the start of the text between added tokens (`part`), the same in normalized text
 * (`section`), the start of a piece within (`piece`), or that of a token within a piece that is read in parts (`token`).
 */
export type Place = 'part' | 'section' | 'piece' | 'token';

/** Where reading starts. */
export interface Start {
  readonly offset: number;
  readonly place: Place;
  /** The token that must begin there, at a place within a piece. */
  readonly token?: number;
}

/** How long pieces are read. */
export interface Parts {
  /** Code units that are encoded at once; infinite: every piece as a whole. */
  readonly units: number;
  /** Whether a part had better end at an offset. */
  readonly endsAt?: (offset: number) => boolean;
}

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
  /** Where in the window added tokens may begin: after what the pre-tokenizer put there. */
  private tokensFrom = 0;
  /** Whether a section begins there. */
  private isFresh = false;
  private isFreshPart = false;
  private section: { readonly end: number; readonly last: boolean; readonly token: FoundToken | undefined } | undefined;
  private steps = 0;
  /** Within a piece that is read in parts: the token that must come next for the tokens before to be right. */
  private token: number | undefined;
  /** Whether another one came: what was read of this piece is not what the whole gives. */
  isBroken = false;

  /** @param start as a reader of this text found it */
  constructor(
    private readonly pipeline: Pipeline,
    private readonly prompt: string,
    start: Start,
    private readonly parts: Parts,
    private readonly check: Check,
  ) {
    this.position = start.offset;
    this.place = start.place;
    this.token = start.token;
    this.scanner = pipeline.preTokenizer.scanner();
  }

  /** The token that begins at the position, where that is within a piece. */
  get nextToken(): number | undefined {
    return this.token;
  }

  /** Reads on by one piece, a part of one, or one added token. @returns false at the end of the text, or if it is broken */
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
        if (this.token !== undefined && this.takePart(window, this.at, end)) {
          return !this.isBroken;
        }
        const { scanner } = this;
        const isFound = scanner.next(window.text, this.at, end, last);
        const from = isFound ? scanner.from : this.at;
        const to = isFound ? scanner.to : end;
        if (this.token === undefined && to - from > this.parts.units * 2 && this.takePart(window, from, to)) {
          return true;
        }
        if (isFound) {
          this.takePiece(window);
          return !this.isBroken;
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
    this.tokensFrom = 0;
    this.isFreshPart = this.place === 'part';
    this.isFresh = this.place === 'part' || this.place === 'section';
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
    this.tokensFrom = Math.max(0, this.tokensFrom - this.at);
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
    const token = normalizedTokens.find(text, Math.max(this.at, this.tokensFrom), known);
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
        this.tokensFrom = prefix.text.length;
        this.section = undefined;
      }
    }
  }

  /**
   * Takes the beginning of a long piece, up to a token near the end of what is encoded at once.
   *
   * What comes later can change tokens far before it only by chains of merges, so that this token stays is likely. It is checked
   * when the next part is encoded from there on: see `PartEncoder`.
   *
   * @returns false if what is known of the piece is too short, or not sure, or has no such token
   */
  private takePart(window: TextWindow, from: number, known: number): boolean {
    const { out, scanner, token } = this;
    const { model, normalizedTokens } = this.pipeline;
    const units = Math.max(this.parts.units, 2 * (model.parts?.longestWhole ?? Infinity));
    const to = from + units;
    if (model.parts === undefined || to > known || scanner.sure(window.text, from, to) < to) {
      return false;
    }
    this.check();
    const first = out.length;
    if (!this.encode(window, from, splitsPair(window.text, to) ? to - 1 : to)) {
      return true;
    }
    const { ids, starts } = out;
    const shortest = token === undefined ? units / 2 : 0;
    let cut = -1;
    for (let index = out.length - 1; index > first && starts[index] > from + shortest; index -= 1) {
      const start = starts[index];
      if (
        start <= to - units / 8 &&
        starts[index - 1] < start &&
        model.parts.beginsCharacter(ids[index]) &&
        this.restartsAt(window, start)
      ) {
        cut = Math.max(cut, index);
        if (this.parts.endsAt === undefined || this.parts.endsAt(window.originOf(start))) {
          cut = index;
          break;
        }
      }
    }
    if (cut < 0) {
      out.length = first;
      return false;
    }
    this.token = ids[cut];
    this.at = starts[cut];
    out.length = cut;
    this.locate(first, window);
    this.position = window.originOf(this.at);
    this.place = 'token';
    this.look(window, to, normalizedTokens.longest);
    return true;
  }

  private takePiece(window: TextWindow): void {
    const { scanner, out } = this;
    const { normalizedTokens } = this.pipeline;
    const { from, to } = scanner;
    if (to > from) {
      const first = out.length;
      this.encode(window, from, to);
      this.locate(first, window);
    }
    this.token = undefined;
    this.at = to;
    this.position = window.originOf(to);
    this.place = scanner.restarts && this.restartsAt(window, to) ? 'piece' : undefined;
    if (this.place !== undefined) {
      this.look(window, scanner.reach, normalizedTokens.longest);
    }
  }

  /** Adds the tokens of a part of the window, with offsets in it. @returns false if the first is not the one that must be */
  private encode(window: TextWindow, from: number, to: number): boolean {
    const { out, token } = this;
    const { model, preTokenizer } = this.pipeline;
    const { prefix, blank } = preTokenizer;
    const first = out.length;
    let piece = window.text.slice(from, to);
    if (blank !== ' ') {
      piece = piece.replaceAll(' ', blank);
    }
    const before = token === undefined && prefix?.before === 'piece' && !piece.startsWith(prefix.text) ? prefix.text : '';
    (token === undefined ? model : (model.parts ?? model)).encode(before + piece, out, this.check);
    for (let index = first; index < out.length; index += 1) {
      out.starts[index] = from + Math.max(0, out.starts[index] - before.length);
    }
    this.isBroken = token !== undefined && out.ids[first] !== token;
    return !this.isBroken;
  }

  /** Whether reading can start there. Whether an added token stands alone depends on the character before it. */
  private restartsAt(window: TextWindow, at: number): boolean {
    return window.restartsAt(at) && this.pipeline.normalizedTokens.longestAt(window.text, at)?.alone !== true;
  }

  /** Makes offsets in the window those of the text. */
  private locate(first: number, window: TextWindow): void {
    const { starts, length } = this.out;
    for (let index = first; index < length; index += 1) {
      starts[index] = window.originOf(starts[index]);
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

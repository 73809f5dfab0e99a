import { lastAtMost } from '../../../core/math/search';
import { commonPrefix, commonSuffix } from '../../../core/text/edits';
import type { Codec } from './codec';
import type { Check } from './model';
import { type ChunkPlaces, TokenPlaces } from './token-places';
import { type Place, type Start, TokenReader } from './token-reader';

/** Tokens in a chunk, if the text can be parted there: an edit re-tokenizes about two of them. */
const chunkTokens = 1024;

/** A run of tokens from a place where reading can start. */
interface TokenChunk extends ChunkPlaces {
  readonly ids: Int32Array;
  readonly place: Place;
  /** One past the last code unit that decided its tokens, from its start. */
  readonly reach: number;
}

/** What a tokenizer needs to index text. */
export type IndexingCodec = Pick<Codec, 'pipeline' | 'prefix' | 'suffix'>;

/** Code units that count as a token, so that text with few tokens is cut as well. */
const unitsPerToken = 8;
/** Code units of a long piece that are encoded at once, by the tokens of a chunk. */
const unitsOfPart = 2;
/** Code units by which the versions must agree before such a place: as far as a tokenizer looks back. */
const agreement = 2;

/** Never stops anything. */
const goOn: Check = () => undefined;

/**
 * The tokens of a text with their places, and those of the text as it is edited.
 *
 * An index is never changed: an edit makes a new one that shares most of the old one.
 */
export class TokenIndex extends TokenPlaces<TokenChunk> {
  private constructor(
    private readonly codec: IndexingCodec,
    /** Tokens in a chunk. */
    private readonly size: number,
    readonly text: string,
    chunks: readonly TokenChunk[],
    /** Whether the text ends there, or was read so far only. */
    private readonly isWhole = true,
  ) {
    super(chunks, codec.prefix.length, codec.suffix.length);
  }

  /**
   * The index of an empty text, to start from.
   *
   * @param size tokens after which the index is cut, where the text allows it; small ones are for tests
   */
  static empty(codec: IndexingCodec, size = chunkTokens): TokenIndex {
    return new TokenIndex(codec, size, '', []);
  }

  /** Indexes a text. @param check may stop it by throwing */
  static of(codec: IndexingCodec, text: string, check = goOn): TokenIndex {
    return TokenIndex.empty(codec).edited(text, check);
  }

  /**
   * The index of an edited text: equal to one made from scratch, in the time of what the edit changed.
   *
   * @param check may stop it by throwing; this index is as it was
   */
  edited(text: string, check = goOn): TokenIndex {
    const steps = this.steps(text, check);
    for (;;) {
      const step = steps.next();
      if (step.done === true) {
        return step.value;
      }
    }
  }

  /**
   * The same in steps of about a thousand tokens, for a caller that gives way to other work in between.
   *
   * After each it yields what gives the index of the text so far: only to go on from with `steps`, if the text changed
   * meanwhile.
   */
  *steps(text: string, check = goOn): Generator<() => TokenIndex, TokenIndex> {
    const { chunks, firstOffset, size } = this;
    const head = commonPrefix(this.text, text);
    const tail = commonSuffix(this.text, text, Math.min(this.text.length, text.length) - head);
    if (this.isWhole && head === text.length && head === this.text.length) {
      return this;
    }
    const past = this.isWhole ? text.length - tail + agreement : Infinity;
    let kept = this.keptBefore(head);
    let partUnits = size * unitsOfPart;
    for (;;) {
      const read = yield* this.readFrom(kept, text, past, partUnits, check);
      if (typeof read !== 'number') {
        return read;
      }
      // The piece goes on in another way than it did: go back to where that could not matter, in the end to its start.
      const isAtStart = read === firstOffset[kept];
      kept -= Number(isAtStart);
      if (!isAtStart) {
        partUnits = Infinity;
        while (kept < chunks.length && chunks[kept].place === 'token') {
          kept -= 1;
        }
      }
    }
  }

  /**
   * Reads on after the chunks that are kept.
   *
   * @param past where in the text the edit is over for certain
   * @returns the index; or, where the tokens of a piece are not what its parts had, the offset of that part
   */
  private *readFrom(
    kept: number,
    text: string,
    past: number,
    partUnits: number,
    check: Check,
  ): Generator<() => TokenIndex, TokenIndex | number> {
    const { codec, chunks, firstOffset, size } = this;
    const grown = text.length - this.text.length;
    const endsAt = (offset: number): boolean => offset >= past && this.chunkAt(offset - grown, 'token') !== undefined;
    const start = kept < chunks.length ? startOf(chunks[kept], firstOffset[kept]) : ({ offset: firstOffset[kept], place: 'part' } as const);
    const reader = new TokenReader(codec.pipeline, text, start, { units: partUnits, endsAt }, check);
    const writer = new ChunkWriter(reader, start.offset);
    while (reader.step()) {
      const { place, position } = reader;
      if (place === undefined) {
        continue;
      }
      const filled = Math.max(reader.out.length, (position - writer.start) / unitsPerToken);
      const isPast = position >= past;
      // Smaller chunks are not worth their place: edits would leave ever more of them.
      if (isPast && filled >= size / 4) {
        const next = this.chunkAt(position - grown, place);
        if (next !== undefined && (place !== 'token' || chunks[next].ids[0] === reader.nextToken)) {
          writer.close(position);
          return new TokenIndex(codec, size, text, [...chunks.slice(0, kept), ...writer.chunks, ...chunks.slice(next)]);
        }
      }
      // Past the edit a chunk may be longer: it ends where the next old one begins.
      if (filled >= (isPast ? size * 4 : size) && position < text.length) {
        writer.close(position);
        yield () => new TokenIndex(codec, size, text.slice(0, position), [...chunks.slice(0, kept), ...writer.chunks], false);
      }
    }
    if (reader.isBroken) {
      return reader.position;
    }
    writer.close(text.length);
    return new TokenIndex(codec, size, text, [...chunks.slice(0, kept), ...writer.chunks]);
  }

  /** Ids of tokens `[from, to)`. */
  ids(from = 0, to = this.tokens): Int32Array {
    const { codec, chunks, firstToken } = this;
    const ids = new Int32Array(this.tokens);
    ids.set(codec.prefix);
    chunks.forEach((chunk, index) => ids.set(chunk.ids, firstToken[index]));
    ids.set(codec.suffix, firstToken[chunks.length]);
    return ids.slice(from, to);
  }

  /** Chunks that no change at or after an offset can reach. */
  private keptBefore(offset: number): number {
    const { chunks, firstOffset } = this;
    let kept = 0;
    while (kept < chunks.length && firstOffset[kept] + chunks[kept].reach <= offset) {
      kept += 1;
    }
    return kept;
  }

  /** The chunk that begins at an offset with such a place; undefined if none does. */
  private chunkAt(offset: number, place: Place): number | undefined {
    const { chunks, firstOffset } = this;
    const index = lastAtMost(firstOffset, chunks.length, offset);
    return index < chunks.length && firstOffset[index] === offset && chunks[index].place === place ? index : undefined;
  }
}

/** Reading from the start of a chunk. */
function startOf({ place, ids: [token] }: TokenChunk, offset: number): Start {
  return place === 'token' ? { offset, place, token } : { offset, place };
}

/** Cuts what a reader reads into chunks. */
class ChunkWriter {
  readonly chunks: TokenChunk[] = [];
  private place: Place;

  constructor(
    private readonly reader: TokenReader,
    public start: number,
  ) {
    this.place = reader.place ?? 'part';
  }

  /** Ends the open chunk where the reader stands. */
  close(end: number): void {
    const { reader, start } = this;
    const { out } = reader;
    if (end > start) {
      const ids = out.ids.slice(0, out.length);
      const starts = out.starts.slice(0, out.length).map((at) => at - start);
      this.chunks.push({ ids, starts, units: end - start, place: this.place, reach: reader.reach - start });
    }
    out.length = 0;
    this.start = end;
    this.place = reader.place ?? 'part';
  }
}

/** Token ids of the beginning of a text: the first ones of the whole, read no further than they need. */
export function firstIds(codec: IndexingCodec, text: string, most = Infinity, check = goOn): Int32Array {
  const { prefix, suffix } = codec;
  const { out } = readFirst(codec, text, most, check);
  const ids = new Int32Array(prefix.length + out.length + suffix.length);
  ids.set(prefix);
  ids.set(out.ids.subarray(0, out.length), prefix.length);
  ids.set(suffix, prefix.length + out.length);
  return most < ids.length ? ids.slice(0, most) : ids;
}

/** Where the first tokens of a text are, read no further than they need: after them, there are none. */
export function firstPlaces(codec: IndexingCodec, text: string, most = Infinity, check = goOn): TokenPlaces {
  const { out } = readFirst(codec, text, most, check);
  const chunks = text === '' ? [] : [{ starts: out.starts.slice(0, out.length), units: text.length }];
  return new TokenPlaces(chunks, codec.prefix.length, codec.suffix.length);
}

/** Reads at least so many tokens, those before the text included, or all. */
function readFirst({ pipeline, prefix }: IndexingCodec, text: string, most: number, check: Check): TokenReader {
  const read = (units: number): TokenReader => {
    const reader = new TokenReader(pipeline, text, { offset: 0, place: 'part' }, { units }, check);
    // Within a piece, what comes can change what was read.
    while ((prefix.length + reader.out.length < most || reader.nextToken !== undefined) && reader.step()) {
      // Tokens gather in the reader.
    }
    return reader;
  };
  const inParts = read(chunkTokens * unitsOfPart);
  return inParts.isBroken ? read(Infinity) : inParts;
}

import { commonPrefix, commonSuffix } from '../../../core/text/edits';
import type { Codec } from './codec';
import type { Check } from './model';
import { type ChunkPlaces, lastAtMost, TokenPlaces } from './token-places';
import { type Place, TokenReader } from './token-reader';

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
    const { codec, chunks, firstOffset, size } = this;
    const head = commonPrefix(this.text, text);
    const tail = commonSuffix(this.text, text, Math.min(this.text.length, text.length) - head);
    if (this.isWhole && head === text.length && head === this.text.length) {
      return this;
    }
    const kept = this.keptBefore(head);
    const from = kept === 0 ? 0 : firstOffset[kept];
    const grown = text.length - this.text.length;
    const reader = new TokenReader(codec.pipeline, text, from, kept < chunks.length ? chunks[kept].place : 'part', check);
    const writer = new ChunkWriter(reader, from);
    while (reader.step()) {
      if (reader.place === undefined) {
        continue;
      }
      const filled = Math.max(reader.out.length, (reader.position - writer.start) / unitsPerToken);
      const isPast = this.isWhole && reader.position >= text.length - tail + agreement;
      // Smaller chunks are not worth their place: edits would leave ever more of them.
      if (isPast && filled >= size / 4) {
        const next = this.chunkAt(reader.position - grown, reader.place);
        if (next !== undefined) {
          writer.close(reader.position);
          return new TokenIndex(codec, size, text, [...chunks.slice(0, kept), ...writer.chunks, ...chunks.slice(next)]);
        }
      }
      // Past the edit a chunk may be longer: it ends where the next old one begins.
      if (filled >= (isPast ? size * 4 : size) && reader.position < text.length) {
        writer.close(reader.position);
        const read = reader.position;
        yield () => new TokenIndex(codec, size, text.slice(0, read), [...chunks.slice(0, kept), ...writer.chunks], false);
      }
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
export function firstIds({ pipeline, prefix, suffix }: IndexingCodec, text: string, most = Infinity, check = goOn): Int32Array {
  const reader = new TokenReader(pipeline, text, 0, 'part', check);
  while (prefix.length + reader.out.length < most && reader.step()) {
    // Tokens gather in the reader.
  }
  const { out } = reader;
  const ids = new Int32Array(prefix.length + out.length + suffix.length);
  ids.set(prefix);
  ids.set(out.ids.subarray(0, out.length), prefix.length);
  ids.set(suffix, prefix.length + out.length);
  return most < ids.length ? ids.slice(0, most) : ids;
}

import { said } from '../../../core/l10n';
import type { Range } from '../../../core/scenario/scenario';

/** How a rotary position embedding is extended beyond the trained length, as stated in `config.json`. */
export type RopeScaling =
  | { readonly type: 'none' }
  /** Positions divided by a factor. */
  | { readonly type: 'linear'; readonly factor: number }
  /** A base that grows with the sequence once it exceeds `trainedTokens`, which are `max_position_embeddings` (dynamic NTK). */
  | { readonly type: 'dynamic'; readonly factor: number; readonly trainedTokens: number }
  /** Llama 3.1: slow frequencies are divided by a factor, fast ones kept, those between blended. */
  | {
      readonly type: 'llama3';
      readonly factor: number;
      readonly lowFrequencyFactor: number;
      readonly highFrequencyFactor: number;
      readonly trainedTokens: number;
    }
  /** YaRN: a ramp between kept and divided frequencies, and sines scaled by `attentionFactor`. */
  | {
      readonly type: 'yarn';
      readonly factor: number;
      readonly trainedTokens: number;
      readonly fastTurns: number;
      readonly slowTurns: number;
      readonly attentionFactor: number;
      /** Whether the ends of the ramp are rounded outwards to whole columns. */
      readonly truncate: boolean;
    }
  /** LongRoPE (Ding et al., arXiv 2402.13753): each frequency is divided by a factor, of one list up to `trainedTokens`, of another beyond. */
  | {
      readonly type: 'longrope';
      readonly trainedTokens: number;
      readonly shortFactors: readonly number[];
      readonly longFactors: readonly number[];
      /** Of sines, whichever list counts. */
      readonly attentionFactor: number;
    };

/** A rotary position embedding (Su et al., arXiv 2104.09864). */
export interface RotaryEmbedding {
  /** Base of the frequencies. */
  readonly theta: number;
  readonly scaling: RopeScaling;
  /** Columns of each head that rotate, an even number, its first ones (GPT-NeoX); all m by default. */
  readonly columns?: number;
}

/** Columns of a head of width m that rotate. */
export function rotatedColumns({ columns = Infinity }: RotaryEmbedding, headWidth: number): number {
  return Math.min(columns, headWidth);
}

/**
 * Tokens that a model was trained to read, once its rotary embedding is extended.
 *
 * Most kinds of scaling let a model read its original length times `factor`, as the documentation of transformers says of
 * rotary parameters; `max_position_embeddings` is not to be changed beside `linear` and `dynamic`. Llama 3.1 was trained on
 * with its scaling, and `max_position_embeddings` is its length then.
 *
 * @param maximumTokens `max_position_embeddings`
 */
export function trainedLength({ scaling }: RotaryEmbedding, maximumTokens: number): number {
  switch (scaling.type) {
    case 'none':
    case 'llama3':
    case 'longrope':
      return maximumTokens;
    case 'linear':
      return scaledLength(scaling.factor, maximumTokens);
    case 'dynamic':
    case 'yarn':
      return scaledLength(scaling.factor, scaling.trainedTokens);
  }
}

/** A factor below 1 must not leave a model without a token. */
function scaledLength(factor: number, tokens: number): number {
  return Math.max(1, Math.floor(factor * tokens));
}

/** Angles per position, and the factor of sines. */
interface RotaryFrequencies {
  /** `[m / 2]`, radians per position. */
  readonly frequencies: Float64Array;
  readonly factor: number;
}

/**
 * The frequencies of a rotary embedding for heads of width m.
 *
 * @param tokens length of the sequence, on which dynamic scaling depends
 */
function rotaryFrequencies({ theta, scaling }: RotaryEmbedding, headWidth: number, tokens: number): RotaryFrequencies {
  const plain = baseFrequencies(theta, headWidth);
  switch (scaling.type) {
    case 'none':
      return { frequencies: plain, factor: 1 };
    case 'linear':
      return { frequencies: plain.map((frequency) => frequency / scaling.factor), factor: 1 };
    case 'dynamic':
      return { frequencies: baseFrequencies(dynamicTheta(theta, scaling, headWidth, tokens), headWidth), factor: 1 };
    case 'llama3':
      return { frequencies: plain.map((frequency) => llama3Frequency(frequency, scaling)), factor: 1 };
    case 'yarn':
      return { frequencies: yarnFrequencies(plain, theta, headWidth, scaling), factor: scaling.attentionFactor };
    case 'longrope': {
      const factors = isLong(scaling, tokens) ? scaling.longFactors : scaling.shortFactors;
      return { frequencies: plain.map((frequency, column) => frequency / factors[column]), factor: scaling.attentionFactor };
    }
  }
}

/** Frequency i is `theta^(-2i/m)`. */
function baseFrequencies(theta: number, headWidth: number): Float64Array {
  return Float64Array.from({ length: headWidth / 2 }, (_, column) => theta ** ((-2 * column) / headWidth));
}

type Scaling<Type extends RopeScaling['type']> = Extract<RopeScaling, { readonly type: Type }>;

function dynamicTheta(theta: number, { factor, trainedTokens }: Scaling<'dynamic'>, headWidth: number, tokens: number): number {
  const length = Math.max(tokens, trainedTokens);
  return theta * ((factor * length) / trainedTokens - (factor - 1)) ** (headWidth / (headWidth - 2));
}

function llama3Frequency(frequency: number, { factor, lowFrequencyFactor, highFrequencyFactor, trainedTokens }: Scaling<'llama3'>): number {
  const wavelength = (2 * Math.PI) / frequency;
  if (wavelength < trainedTokens / highFrequencyFactor) {
    return frequency;
  }
  if (wavelength > trainedTokens / lowFrequencyFactor) {
    return frequency / factor;
  }
  const kept = (trainedTokens / wavelength - lowFrequencyFactor) / (highFrequencyFactor - lowFrequencyFactor);
  return (1 - kept) * (frequency / factor) + kept * frequency;
}

/**
 * Peng et al., arXiv 2309.00071: columns that rotate often keep their frequency, those that rotate less than once are
 * divided.
 */
function yarnFrequencies(
  plain: Float64Array,
  theta: number,
  headWidth: number,
  { factor, trainedTokens, fastTurns, slowTurns, truncate }: Scaling<'yarn'>,
): Float64Array {
  const columnOf = (turns: number): number => (headWidth * Math.log(trainedTokens / (turns * 2 * Math.PI))) / (2 * Math.log(theta));
  const rounded = (column: number, round: (value: number) => number): number => (truncate ? round(column) : column);
  const low = Math.max(0, rounded(columnOf(fastTurns), Math.floor));
  const high = Math.min(headWidth - 1, rounded(columnOf(slowTurns), Math.ceil));
  // A ramp of no width would divide by zero.
  const width = Math.max(0.001, high - low);
  return plain.map((frequency, column) => {
    const divided = Math.min(1, Math.max(0, (column - low) / width));
    return divided * (frequency / factor) + (1 - divided) * frequency;
  });
}

/** Whether a run of so many tokens takes the longrope's factors for long ones. As in transformers, the whole run decides. */
function isLong({ trainedTokens }: Scaling<'longrope'>, tokens: number): boolean {
  return tokens > trainedTokens;
}

/** Whether runs of these two lengths rotate in the same way. */
export function sameRotation(rotary: readonly (RotaryEmbedding | undefined)[], headWidth: number, one: number, other: number): boolean {
  const known = [...new Set(rotary)].filter((rope) => rope !== undefined);
  return known.every((rope) => {
    const [a, b] = [one, other].map((tokens) => rotaryFrequencies(rope, rotatedColumns(rope, headWidth), tokens).frequencies);
    return a.every((frequency, column) => frequency === b[column]);
  });
}

/** LongRoPE's default for `attentionFactor`. @param factor by which the trained length grows */
export function longropeAttentionFactor(factor: number, trainedTokens: number): number {
  return factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(trainedTokens));
}

/** What a user should know of the rope of a run of N tokens; undefined where its length does not matter. */
export function ropeNote(rotary: readonly (RotaryEmbedding | undefined)[], tokens: number): string | undefined {
  const scaling = rotary.map((rope) => rope?.scaling).find((one) => one?.type === 'longrope');
  if (scaling?.type !== 'longrope') {
    return undefined;
  }
  return isLong(scaling, tokens)
    ? said`The rope has one list of factors up to ${scaling.trainedTokens} tokens and another beyond: ${tokens} tokens take the long one. A continuation that gets there is run again from its beginning.`
    : said`The rope has one list of factors up to ${scaling.trainedTokens} tokens and another beyond: ${tokens} tokens take the short one. A continuation that gets there is run again from its beginning.`;
}

/** YaRN's default for `attentionFactor`. */
export function yarnAttentionFactor(factor: number, scale = 1): number {
  return factor <= 1 ? 1 : 0.1 * scale * Math.log(factor) + 1;
}

/** Cosines and sines of a rotary embedding at consecutive positions, `[rows, columns / 2]`: columns i and i + columns/2 are a pair. */
export interface RotaryTable {
  /** Columns of a head that rotate. */
  readonly columns: number;
  readonly cos: Float32Array;
  readonly sin: Float32Array;
}

/**
 * The table for `rows` tokens from position `firstToken` on: angle `position * frequency`. Frequencies are those of heads as wide
 * as the columns that rotate.
 *
 * @param tokens length of the sequence, on which dynamic scaling depends
 */
export function rotaryTable(rotary: RotaryEmbedding, rows: number, firstToken: number, headWidth: number, tokens: number): RotaryTable {
  const columns = rotatedColumns(rotary, headWidth);
  const half = columns / 2;
  const { frequencies, factor } = rotaryFrequencies(rotary, columns, tokens);
  const cos = new Float32Array(rows * half);
  const sin = new Float32Array(rows * half);
  for (let column = 0; column < half; column += 1) {
    for (let row = 0; row < rows; row += 1) {
      const angle = (firstToken + row) * frequencies[column];
      cos[row * half + column] = factor * Math.cos(angle);
      sin[row * half + column] = factor * Math.sin(angle);
    }
  }
  return { columns, cos, sin };
}

/** Tables of the same columns, one after the other. */
export function joinedTables(tables: readonly RotaryTable[]): RotaryTable {
  const length = tables.reduce((sum, { cos }) => sum + cos.length, 0);
  const joined = { columns: tables[0].columns, cos: new Float32Array(length), sin: new Float32Array(length) };
  let at = 0;
  for (const { cos, sin } of tables) {
    joined.cos.set(cos, at);
    joined.sin.set(sin, at);
    at += cos.length;
  }
  return joined;
}

/**
 * Tables by embedding and first position: many layers share them, and computing sines costs more than the product they
 * enter.
 */
export class RotaryTables {
  private readonly tables = new Map<RotaryEmbedding, Map<string, RotaryTable>>();

  constructor(
    private readonly headWidth: number,
    /** Length of the sequence. */
    private readonly tokens: number,
  ) {}

  /** The table of an embedding for positions in ranges, one after the other. */
  over(rotary: RotaryEmbedding, positions: readonly Range[]): RotaryTable {
    const tables = positions.map(({ from, to }) => this.get(rotary, to - from, from));
    return tables.length === 1 ? tables[0] : joinedTables(tables);
  }

  /** The table of an embedding for `rows` tokens from position `firstToken` on. */
  get(rotary: RotaryEmbedding, rows: number, firstToken: number): RotaryTable {
    let own = this.tables.get(rotary);
    if (own === undefined) {
      own = new Map();
      this.tables.set(rotary, own);
    }
    const name = `${rows} ${firstToken}`;
    let table = own.get(name);
    if (table === undefined) {
      table = rotaryTable(rotary, rows, firstToken, this.headWidth, this.tokens);
      own.set(name, table);
    }
    return table;
  }
}

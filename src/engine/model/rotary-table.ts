import { rotaryFrequencies, type RotaryEmbedding } from '../read/model/rope';

/** Cosines and sines of the rotary position embedding, `[rows, m]` each: the two halves of a row repeat. */
export interface RotaryTable {
  readonly cos: Float32Array;
  readonly sin: Float32Array;
}

/**
 * The table for `rows` tokens from position `firstToken` on: angle `position * frequency`.
 *
 * @param tokens length of the sequence, on which dynamic scaling depends
 */
export function rotaryTable(rotary: RotaryEmbedding, rows: number, firstToken: number, headWidth: number, tokens: number): RotaryTable {
  const half = headWidth / 2;
  const { frequencies, factor } = rotaryFrequencies(rotary, headWidth, tokens);
  const cos = new Float32Array(rows * headWidth);
  const sin = new Float32Array(rows * headWidth);
  for (let column = 0; column < half; column += 1) {
    for (let row = 0; row < rows; row += 1) {
      const angle = (firstToken + row) * frequencies[column];
      const at = row * headWidth + column;
      cos[at] = cos[at + half] = factor * Math.cos(angle);
      sin[at] = sin[at + half] = factor * Math.sin(angle);
    }
  }
  return { cos, sin };
}

/** Tables by embedding and by where they begin: many layers rotate by the same ones, and sines cost more than the product they enter. */
export class RotaryTables {
  private readonly tables = new Map<RotaryEmbedding, Map<string, RotaryTable>>();

  constructor(
    private readonly headWidth: number,
    /** Length of the sequence. */
    private readonly tokens: number,
  ) {}

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

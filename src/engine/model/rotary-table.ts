/** Cosines and sines of the rotary position embedding, `[rows, m]` each: the two halves of a row repeat. */
export interface RotaryTable {
  readonly cos: Float32Array;
  readonly sin: Float32Array;
}

/**
 * The table for `rows` tokens from position `firstToken` on: angle `position * theta^(-2i/m)`.
 *
 * @param theta base of the frequencies
 */
export function rotaryTable(rows: number, firstToken: number, headWidth: number, theta: number): RotaryTable {
  const half = headWidth / 2;
  const cos = new Float32Array(rows * headWidth);
  const sin = new Float32Array(rows * headWidth);
  for (let column = 0; column < half; column += 1) {
    const frequency = theta ** ((-2 * column) / headWidth);
    for (let row = 0; row < rows; row += 1) {
      const angle = (firstToken + row) * frequency;
      const at = row * headWidth + column;
      cos[at] = cos[at + half] = Math.cos(angle);
      sin[at] = sin[at + half] = Math.sin(angle);
    }
  }
  return { cos, sin };
}

/** Tables by where they begin: every layer rotates by the same ones, and sines cost more than the product they enter. */
export class RotaryTables {
  private readonly tables = new Map<string, RotaryTable>();

  /** @param theta base of the frequencies */
  constructor(
    private readonly headWidth: number,
    private readonly theta: number,
  ) {}

  /** The table for `rows` tokens from position `firstToken` on. */
  get(rows: number, firstToken: number): RotaryTable {
    const name = `${rows} ${firstToken}`;
    let table = this.tables.get(name);
    if (table === undefined) {
      table = rotaryTable(rows, firstToken, this.headWidth, this.theta);
      this.tables.set(name, table);
    }
    return table;
  }
}

import { logAddExp } from '../../../core/math/attention-state';
import { exponentiate } from '../../../core/math/exponentials';
import type { Range } from '../../../core/scenario/scenario';
import { lengthOf, placesOf, unionOf } from '../../../core/shards/cut';
import { exactScoresGraph, exactSumsGraph } from '../graphs/exact-rows';
import { SessionPool } from '../runtime/session';
import { type LayerTensors, rowsView } from '../tiles/layer';

/** The keys that a query row sees. */
export interface RowSight {
  readonly row: number;
  /** Ascending, none empty; of places in `order`, where there is one. */
  readonly ranges: readonly Range[];
  /** An order of the keys; the keys themselves by default. */
  readonly order?: Uint32Array | undefined;
  /** Of each range, the natural logarithm of what its weights are multiplied with; 1 for all by default. */
  readonly logScales?: readonly number[] | undefined;
}

/** A row of a query head. */
export interface HeadRow {
  readonly head: number;
  readonly sight: RowSight;
}

/** A row's exact attention, and what bounds the rounding of the same in a run. */
export interface ExactRow extends HeadRow {
  /** `[m]`. */
  readonly out: Float64Array;
  readonly logNormaliser: number;
  /** At least the sum of `|q_c k_c|` for each key. */
  readonly products: number;
  /** The largest value in size of its head. */
  readonly largest: number;
  /** How far the highest score of the keys that were read lies above the lowest of its own; 0 where it was not asked for. */
  readonly spread: number;
}

/** Scores of one call at most, if it has several rows: a few megabytes. */
const mostScores = 2 ** 17;

/** Scores up to which a call is not worth dividing. */
const fewScores = 2 ** 13;

/** By how much the pairs of rows that are read together may exceed those that they see. */
const spareShare = 1.25;

/**
 * Attention of chosen rows in float64: products by ONNX Runtime on the CPU, which JavaScript would take ten times as long for, and
 * the weights between them here, where exponentials of hidden pairs need not be computed, and the others cost a third.
 *
 * Rows that see nearly the same keys are one call, which reads the keys that one of them sees at least.
 */
export class ExactRows {
  private readonly sessions: SessionPool;
  private loaded: LoadedHead | undefined;
  /** Of the largest head and call so far: both come often, and the collector would come too late. */
  private room = { keys: new Float64Array(), values: new Float64Array() };
  private scores = new Float64Array();

  /** @param threads of ONNX Runtime's pool @param spread whether rows are to say how far their scores lie apart */
  constructor(
    threads: number,
    private readonly spread: boolean,
  ) {
    this.sessions = new SessionPool({ provider: 'cpu', name: 'float64', threads });
  }

  /** Takes so many keys and values of a layer's key-value head, from which the next rows are computed. */
  load({ key, value }: LayerTensors, head: number, count = key.tokens): void {
    const keys = rowsView(key, head, 0, count);
    const values = rowsView(value, head, 0, count);
    if (this.room.keys.length < keys.length) {
      this.room = { keys: new Float64Array(keys.length), values: new Float64Array(keys.length) };
    }
    this.loaded = {
      keys: this.room.keys.subarray(0, keys.length),
      values: this.room.values.subarray(0, keys.length),
      largestKey: widen(keys, this.room.keys),
      largestValue: widen(values, this.room.values),
    };
  }

  /**
   * Exact rows of the query heads that share the loaded head, in calls of some: heads together, since small products are slow.
   *
   * @param rows each sees a key at least
   */
  async *of(layer: LayerTensors, rows: readonly HeadRow[]): AsyncGenerator<readonly ExactRow[]> {
    const ascending = [...rows].sort((one, other) => one.sight.row - other.sight.row);
    for (const group of groupsOf(ascending)) {
      yield await this.group(layer, group.rows, group.keys);
    }
  }

  async release(): Promise<void> {
    await this.sessions.release();
  }

  private async group(layer: LayerTensors, rows: readonly HeadRow[], keys: readonly Range[]): Promise<ExactRow[]> {
    const { loaded } = this;
    if (loaded === undefined) {
      throw new Error('Exact rows are asked for before a head was loaded.');
    }
    const { width } = layer.query;
    const count = lengthOf(keys);
    const { order } = rows[0].sight;
    const queries = new Float64Array(rows.length * width);
    rows.forEach(({ head, sight: { row } }, index) => queries.set(rowsView(layer.query, head, row, row + 1), index * width));
    const of = (tensor: Float64Array): Float64Array =>
      keys.length === 1 && order === undefined
        ? tensor.subarray(keys[0].from * width, keys[0].to * width)
        : copied(tensor, width, keys, order);
    if (this.scores.length < rows.length * count) {
      this.scores = new Float64Array(rows.length * count);
    }
    const scores = { data: this.scores.subarray(0, rows.length * count), shape: [rows.length, count] };
    const products = await this.sessions.get(`scores ${width} ${layer.scoreCap}`, () => exactScoresGraph(width, layer.scoreCap));
    const inputs = { query: { data: queries, shape: [rows.length, width] }, key: { data: of(loaded.keys), shape: [count, width] } };
    await products.run<'scores', Float64Array>(inputs, { scores });
    const weighed = rows.map(({ sight }, index) => {
      const ofRow = scores.data.subarray(index * count, (index + 1) * count);
      const seen = placesOf(keys, sight.ranges) ?? [];
      sight.logScales?.forEach((scale, range) => addTo(ofRow, seen[range], scale));
      const spread = this.spread ? spreadOf(ofRow, seen) : 0;
      return { ...weigh(ofRow, seen), spread };
    });
    const sums = await this.sessions.get(`sums ${width}`, () => exactSumsGraph(width));
    const found = await sums.run<'sums', Float64Array>({ weights: scores, value: { data: of(loaded.values), shape: [count, width] } });
    return rows.map(({ head, sight }, index) => {
      const { total, high, spread } = weighed[index];
      const overKeys = high + Math.log(total);
      // A learned sink is one more key, whose value is 0.
      const logNormaliser = layer.sinks === undefined ? overKeys : logAddExp(overKeys, layer.sinks[head]);
      const share = Math.exp(overKeys - logNormaliser) / total;
      const query = queries.subarray(index * width, (index + 1) * width);
      return {
        head,
        sight,
        out: found.sums.subarray(index * width, (index + 1) * width).map((sum) => share * sum),
        logNormaliser,
        products: loaded.largestKey * query.reduce((sum, x) => sum + Math.abs(x), 0),
        largest: loaded.largestValue,
        spread,
      };
    });
  }
}

/** A key-value head in float64, with its largest numbers in size. */
interface LoadedHead {
  /** `[N, m]` each. */
  readonly keys: Float64Array;
  readonly values: Float64Array;
  readonly largestKey: number;
  readonly largestValue: number;
}

/** Consecutive rows that are read together, with the keys that they see between them. */
function groupsOf(rows: readonly HeadRow[]): { rows: HeadRow[]; keys: Range[] }[] {
  const groups: { rows: HeadRow[]; keys: Range[]; seen: number }[] = [];
  for (const row of rows) {
    const { ranges, order } = row.sight;
    const own = lengthOf(ranges);
    const last = groups.at(-1);
    if (last !== undefined && last.rows[0].sight.order === order) {
      const keys = unionOf([...last.keys, ...ranges]);
      const scores = (last.rows.length + 1) * lengthOf(keys);
      if (scores <= mostScores && scores <= Math.max(fewScores, spareShare * (last.seen + own))) {
        last.rows.push(row);
        last.keys = keys;
        last.seen += own;
        continue;
      }
    }
    groups.push({ rows: [row], keys: [...ranges], seen: own });
  }
  return groups;
}

function copied(tensor: Float64Array, width: number, ranges: readonly Range[], order: Uint32Array | undefined): Float64Array {
  const rows = new Float64Array(lengthOf(ranges) * width);
  let at = 0;
  const copy = (from: number, to: number): void => {
    rows.set(tensor.subarray(from * width, to * width), at);
    at += (to - from) * width;
  };
  for (const { from, to } of ranges) {
    if (order === undefined) {
      copy(from, to);
    } else {
      order.subarray(from, to).forEach((key) => copy(key, key + 1));
    }
  }
  return rows;
}

/** Copies numbers to the front of `into`. @returns the largest in size */
function widen(numbers: Float32Array, into: Float64Array): number {
  let largest = 0;
  for (let at = 0; at < numbers.length; at += 1) {
    const number = numbers[at];
    into[at] = number;
    largest = Math.max(largest, Math.abs(number));
  }
  return largest;
}

/** Adds a number to scores of a range. */
function addTo(scores: Float64Array, { from, to }: Range, number: number): void {
  for (let at = from; number !== 0 && at < to; at += 1) {
    scores[at] += number;
  }
}

/**
 * Puts weights in the place of scores: `e^(score - high)` of the keys that a row sees, 0 of the others.
 *
 * @param scores `[keys]`
 * @returns the highest score of those that the row sees, and the sum of the weights
 */
function weigh(scores: Float64Array, seen: readonly Range[]): { readonly high: number; readonly total: number } {
  let high = -Infinity;
  for (const { from, to } of seen) {
    for (let at = from; at < to; at += 1) {
      high = scores[at] > high ? scores[at] : high;
    }
  }
  let total = 0;
  let next = 0;
  for (const { from, to } of seen) {
    scores.fill(0, next, from);
    total += exponentiate(scores, from, to, high);
    next = to;
  }
  scores.fill(0, next);
  return { high, total };
}

/** How far the highest of all scores lies above the lowest of those that a row sees. */
function spreadOf(scores: Float64Array, seen: readonly Range[]): number {
  const lowest = seen.map(({ from, to }) => scores.subarray(from, to).reduce((low, score) => Math.min(low, score), Infinity));
  return scores.reduce((high, score) => Math.max(high, score), -Infinity) - Math.min(...lowest);
}

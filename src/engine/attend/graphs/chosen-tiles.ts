import { GraphBuilder } from '../onnx/graph-builder';
import { hiddenScore } from './attend';

/** What a graph over chosen tiles depends on. */
interface ChosenShape {
  /** m. */
  readonly headWidth: number;
  /** M. */
  readonly rows: number;
  /** c, where scores s are bent to `c tanh(s / c)`. */
  readonly scoreCap?: number | undefined;
}

/**
 * Tiles of one head, in any number and order, each read by one of some query blocks: their sums, relative to references that are given.
 *
 * Inputs: `query` `[blocks, M, m]`, `reference` `[blocks, M, 1]`; `key` and `value` `[tiles, M, m]`; `of` `[tiles]`, int32, the query
 * block of each tile; `scales` `[blocks, tiles]`, what the weights of each tile are multiplied with in the sums of its query block, 0 in
 * all others. Outputs: `weighted` `[blocks, M m]` and `sum` `[blocks, M]`.
 */
export function chosenTilesGraph({ headWidth, rows, scoreCap }: ChosenShape): Uint8Array {
  const g = new GraphBuilder('chosen-tiles');
  const query = g.input('query', ['blocks', rows, headWidth]);
  const reference = g.input('reference', ['blocks', rows, 1]);
  const key = g.input('key', ['tiles', rows, headWidth]);
  const value = g.input('value', ['tiles', rows, headWidth]);
  const of = g.input('of', ['tiles'], 'int32');
  const scales = g.input('scales', ['blocks', 'tiles']);
  const products = g.matMul(g.gather(query, of, 0), g.transpose(key, [0, 2, 1]));
  const scores = scoreCap === undefined ? products : g.cap(products, g.scalar(scoreCap));
  const weights = g.exp(g.subtract(scores, g.gather(reference, of, 0)));
  // One product adds up the tiles of every query block, however many each has.
  g.output('weighted', g.matMul(scales, g.reshape(g.matMul(weights, value), [-1, rows * headWidth])), ['blocks', rows * headWidth]);
  g.output('sum', g.matMul(scales, g.reshape(g.reduceSum(weights, -1), [-1, rows])), ['blocks', rows]);
  return g.build();
}

/**
 * What share of their weights some queries have in each key block, as means over the queries of a query block.
 *
 * Inputs: `query` `[heads, blocks, queries, m]`, `key` `[keys, m]` of whole key blocks, `queryPosition` `[1, blocks, queries, 1]` and `keyPosition`
 * `[keys]`; `sink` `[heads, 1, 1, 1]`, the score of a learned sink, far below all others where there is none. Output: `masses` `[heads, blocks,
 * keys / M]`; those of a head and query block with the sink's share add up to 1.
 */
export function tileMassesGraph({ headWidth, rows, scoreCap }: ChosenShape): Uint8Array {
  const g = new GraphBuilder('tile-masses');
  const query = g.input('query', ['heads', 'blocks', 'queries', headWidth]);
  const key = g.input('key', ['keys', headWidth]);
  const products = g.matMul(query, g.transpose(key, [1, 0]));
  const scores = scoreCap === undefined ? products : g.cap(products, g.scalar(scoreCap));
  const later = g.isAbove(g.input('keyPosition', ['keys']), g.input('queryPosition', [1, 'blocks', 'queries', 1]));
  const shown = g.add(scores, g.multiply(later, g.scalar(hiddenScore)));
  const reference = g.reduceMax(shown, -1);
  const weights = g.exp(g.subtract(shown, reference));
  const sink = g.exp(g.subtract(g.input('sink', ['heads', 1, 1, 1]), reference));
  const shares = g.divide(weights, g.add(g.reduceSum(weights, -1), sink));
  // Sums over queries first: fewer numbers are cut into key blocks.
  const ofBlock = g.reduceMean(shares, 2);
  g.output('masses', g.reduceSum(g.reshape(ofBlock, [0, 0, -1, rows]), -1), ['heads', 'blocks', 'tiles', 1]);
  return g.build();
}

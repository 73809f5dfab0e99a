import { resultWidth, sliceColumns, type BlackBoxShape, type Reading, type SliceColumns } from '../../../core/construct/slice';
import { GraphBuilder, type Value } from '../onnx/graph-builder';
import { causalMask } from './dense';

/**
 * The smallest share of the synthetic token that is used, about e^-80. Below 1e-38 float32 loses precision silently; a
 * share under this limit is set to 0, and the infinite log-normaliser that results triggers a retry.
 */
const smallestShare = 1e-35;

/**
 * By how much the score of the synthetic token may exceed that of the reference key: the share of the real keys is then at least e^-70,
 * which float32 holds with all its digits.
 */
const largestLift = 70;

/** A small transformer as a graph. */
interface SmallTransformer {
  readonly shape: BlackBoxShape;
  /** Whether each row sees only itself and earlier rows. */
  readonly causal: boolean;
  /** How its MLP reads the result columns. */
  readonly reading: Reading;
}

/** Inputs of the graph: the parts of a slice, and the columns of `marks`, which is all of it from `one` on. */
export const sliceParts = ['query', 'reference', 'key', 'value', 'marks'] as const;
export type SlicePart = (typeof sliceParts)[number];

/** Width of each part of a slice. */
export function partWidths(shape: BlackBoxShape): Readonly<Record<SlicePart, number>> {
  const { headWidth: m } = shape;
  return { query: m, reference: m, key: m, value: m, marks: sliceColumns(shape, 'state').inputWidth - 4 * m };
}

/**
 * The black box: a transformer of L' layers and H' heads that shows its final output only (paper, section 2).
 *
 * Inputs: the tokens, one slice per single-head instance, part by part: `query`, `reference`, `key`, `value`, `marks` `[calls, H'L', M,
 * width]`. Outputs: `mean` `[calls, H'L', M, m]` and `logNormaliser` `[calls, H'L', M]`, or the one that the reading has. An MLP before
 * the first layer gives the synthetic token its score, one after the last reads the result.
 *
 * Head h of layer l reads and writes only the slice of instance (h, l): its projections are 0/1 matrices, which select columns. They are
 * applied by selecting, not by multiplying; and as all other slices pass the layer unchanged, a layer takes up its own alone.
 */
export function smallTransformerGraph({ shape, causal, reading }: SmallTransformer): Uint8Array {
  const g = new GraphBuilder('small-transformer');
  const { rows, layers, heads, headWidth } = shape;
  const widths = partWidths(shape);
  const tokens = Object.fromEntries(
    sliceParts.map((part) => [part, g.input(part, ['calls', layers * heads, rows, widths[part]])]),
  ) as Readonly<Record<SlicePart, Value>>;
  const columns = sliceColumns(shape, reading);
  const score = firstMlp(g, tokens, reading);
  const layerOf = (value: Value, layer: number): Value => (layers === 1 ? value : g.slice(value, 1, layer * heads, (layer + 1) * heads));
  const results = Array.from({ length: layers }, (_, layer) => {
    const own = Object.fromEntries(sliceParts.map((part) => [part, layerOf(tokens[part], layer)])) as typeof tokens;
    return attentionLayer(g, own, layerOf(score, layer), columns, reading, causal, rows);
  });
  const result = layers === 1 ? results[0] : g.concat(1, ...results);
  const { mean, logNormaliser } = lastMlp(g, result, score, resultWidth(headWidth, reading), reading);
  if (mean !== undefined) {
    g.output('mean', mean, ['calls', layers * heads, rows, headWidth]);
  }
  if (logNormaliser !== undefined) {
    g.output('logNormaliser', logNormaliser, ['calls', layers * heads, rows, 1]);
  }
  return g.build();
}

/**
 * c, token by token: `<query, reference>`, which is at most the log-normaliser. Under `state` it is lifted as far as any key of the
 * reference's length could score, and by 70 at most, so that c is near the log-normaliser of rows whose reference is not their best key.
 */
function firstMlp(g: GraphBuilder, { query, reference }: Readonly<Record<SlicePart, Value>>, reading: Reading): Value {
  const score = g.reduceSum(g.multiply(query, reference), 3);
  if (reading !== 'state') {
    return score;
  }
  const squared = (value: Value): Value => g.reduceSum(g.multiply(value, value), 3);
  const largest = g.multiply(g.sqrt(squared(query)), g.sqrt(squared(reference)));
  const lifted = g.add(score, g.scalar(largestLift));
  return g.subtract(lifted, g.relu(g.subtract(lifted, largest)));
}

/** One layer of multi-head attention over its own slices `[calls, H', M, width]`: what its heads add to their result columns. */
function attentionLayer(
  g: GraphBuilder,
  { query, key, value, marks }: Readonly<Record<SlicePart, Value>>,
  score: Value,
  columns: SliceColumns,
  reading: Reading,
  causal: boolean,
  rows: number,
): Value {
  const mark = (from: 'one' | 'real' | 'synthetic', to: 'querySeparation' | 'real' | 'synthetic' | 'keySeparation'): Value =>
    g.slice(marks, 3, columns[from].from - columns.one.from, columns[to].from + columns[to].width - columns.one.from);
  const compared = g.concat(3, query, score, mark('one', 'querySeparation'));
  const comparing = g.concat(3, key, mark('synthetic', 'keySeparation'));
  const products = g.matMul(compared, g.transpose(comparing, [0, 1, 3, 2]));
  const weights = g.softmax(causal ? g.add(products, causalMask(g, rows)) : products);
  const averaged: Readonly<Record<Reading, () => Value>> = {
    state: () => g.concat(3, value, mark('real', 'synthetic')),
    normaliser: () => mark('real', 'real'),
    'mean-value': () => value,
    'mean-key': () => key,
  };
  return g.matMul(weights, averaged[reading]());
}

/** The proofs' computation on a head's result, token by token and slice by slice (lemma 3.1). */
function lastMlp(
  g: GraphBuilder,
  results: Value,
  score: Value,
  width: number,
  reading: Reading,
): { readonly mean?: Value; readonly logNormaliser?: Value } {
  const result = (first: number, end: number): Value => g.slice(results, 3, first, end);
  switch (reading) {
    case 'state': {
      // Two indicators: the share of the real keys and that of the synthetic one keep full relative precision, as long as
      // neither is close to float32's denormal numbers.
      const real = result(width - 2, width - 1);
      const synthetic = g.whereAbove(result(width - 1, width), g.scalar(smallestShare));
      return {
        mean: g.divide(result(0, width - 2), real),
        logNormaliser: g.add(score, g.subtract(g.log(real), g.log(synthetic))),
      };
    }
    case 'normaliser':
      // log(e^c * a / (1 - a)), the lemma's literal formula: near a = 1, 1 - a loses precision.
      return { logNormaliser: g.add(score, g.log(g.divide(results, g.subtract(g.scalar(1), results)))) };
    case 'mean-value':
    case 'mean-key':
      return { mean: results };
  }
}

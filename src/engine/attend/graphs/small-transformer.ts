import {
  outputWidth,
  resultWidth,
  scoreWidth,
  sliceColumns,
  type BlackBoxShape,
  type Reading,
  type SliceColumns,
} from '../../../core/construct/slice';
import { GraphBuilder, type Value } from '../onnx/graph-builder';
import { causalMask } from './dense';

/**
 * The smallest share of the synthetic token that is used, about e^-80. Below 1e-38 float32 loses precision silently; a
 * share under this limit is set to 0, and the infinite log-normaliser that results triggers a retry.
 */
const smallestShare = 1e-35;

/** A small transformer as a graph. */
interface SmallTransformer {
  readonly shape: BlackBoxShape;
  /** Whether each row sees only itself and earlier rows. */
  readonly causal: boolean;
  /** How its MLP reads the result columns. */
  readonly reading: Reading;
}

/**
 * The black box: a transformer of L' layers and H' heads that shows its final output only (paper, section 2).
 *
 * Inputs: `tokens` `[calls, M, H'L', input width]`, one slice per single-head instance; and with each call the weights of
 * every layer l: `query.l`, `key.l` `[H', W, score width]`, `value.l` `[H', W, result width]`, `output.l` `[H' * result
 * width, W]`, W = H'L' slices. Output: `out` `[calls, M, H'L', output width]`. An MLP before the first layer gives the
 * synthetic token its score, one after the last reads the result; the residual stream carries everything else.
 */
export function smallTransformerGraph({ shape, causal, reading }: SmallTransformer): Uint8Array {
  const g = new GraphBuilder('small-transformer');
  const { rows, layers, heads, headWidth } = shape;
  const instances = layers * heads;
  const columns = sliceColumns(shape, reading);
  const tokens = g.input('tokens', ['calls', rows, instances, columns.inputWidth]);

  let stream = g.reshape(firstMlp(g, tokens, columns), [0, rows, instances * columns.width]);
  for (let layer = 0; layer < layers; layer += 1) {
    stream = g.add(stream, attentionLayer(g, stream, shape, reading, causal, layer));
  }
  const slices = g.reshape(stream, [0, rows, instances, columns.width]);
  g.output('out', lastMlp(g, slices, columns, reading), ['calls', rows, instances, outputWidth(headWidth, reading)]);
  return g.build();
}

/** Sets c to `<query, reference>` and the result columns to 0, token by token. */
function firstMlp(g: GraphBuilder, tokens: Value, columns: SliceColumns): Value {
  const query = g.slice(tokens, 3, columns.query.from, columns.query.from + columns.query.width);
  const reference = g.slice(tokens, 3, columns.reference.from, columns.reference.from + columns.reference.width);
  const score = g.reduceSum(g.multiply(query, reference), 3);
  return g.padEnd(g.concat(3, tokens, score), 4, 3, columns.result.width);
}

/** One layer of multi-head attention over the whole residual stream `[calls, M, W]`, before its residual connection. */
function attentionLayer(g: GraphBuilder, stream: Value, shape: BlackBoxShape, reading: Reading, causal: boolean, layer: number): Value {
  const { rows, layers, heads, headWidth } = shape;
  const width = layers * heads * sliceColumns(shape, reading).width;
  const results = resultWidth(headWidth, reading);
  const weight = (name: string, columns: number): Value => g.input(`${name}.${layer}`, [heads, width, columns]);

  const perHead = g.reshape(stream, [0, 1, rows, width]);
  const query = g.matMul(perHead, weight('query', scoreWidth(shape)));
  const key = g.matMul(perHead, weight('key', scoreWidth(shape)));
  const value = g.matMul(perHead, weight('value', results));
  const products = g.matMul(query, g.transpose(key, [0, 1, 3, 2]));
  const scores = causal ? g.add(products, causalMask(g, rows)) : products;
  const means = g.matMul(g.softmax(scores), value);
  const joined = g.reshape(g.transpose(means, [0, 2, 1, 3]), [0, rows, heads * results]);
  return g.matMul(joined, g.input(`output.${layer}`, [heads * results, width]));
}

/** The proofs' computation on a head's result, token by token and slice by slice (lemma 3.1). */
function lastMlp(g: GraphBuilder, slices: Value, columns: SliceColumns, reading: Reading): Value {
  const { from, width } = columns.result;
  const result = (first: number, end: number): Value => g.slice(slices, 3, from + first, from + end);
  const score = g.slice(slices, 3, columns.score.from, columns.score.from + 1);
  switch (reading) {
    case 'state': {
      // Two indicators: the share of the real keys and that of the synthetic one keep full relative precision, as long as
      // neither is close to float32's denormal numbers.
      const real = result(width - 2, width - 1);
      const synthetic = g.whereAbove(result(width - 1, width), g.scalar(smallestShare));
      return g.concat(3, g.divide(result(0, width - 2), real), g.add(score, g.subtract(g.log(real), g.log(synthetic))));
    }
    case 'normaliser': {
      // log(e^c * a / (1 - a)), the lemma's literal formula: near a = 1, 1 - a loses precision.
      const share = result(0, 1);
      return g.add(score, g.log(g.divide(share, g.subtract(g.scalar(1), share))));
    }
    case 'mean-value':
    case 'mean-key':
      return result(0, width);
  }
}

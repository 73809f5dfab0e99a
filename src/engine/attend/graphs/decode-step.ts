import type { Architecture } from '../../read/model/architecture';
import type { OutputAndMlpWeight, ProjectWeight } from '../../read/model/weights';
import { type Graph, GraphBuilder, type Value } from '../onnx/graph-builder';
import { largestEnd } from '../onnx/operators';
import { type GivenWeights, weightValues } from './linear';
import { outputAndMlpInto, projectInto, type RotaryValues } from './tokenwise';

/** What the graph of a step needs to know of a layer. */
export interface StepLayer {
  readonly project: GivenWeights<ProjectWeight>;
  readonly outputAndMlp: GivenWeights<OutputAndMlpWeight>;
  /** Columns of a head that rotate; undefined if none do. */
  readonly columns: number | undefined;
  /** Whether it has learned sinks. */
  readonly sinks: boolean;
}

/**
 * One token through some layers, its attention over the keys and values in their caches included.
 *
 * Inputs: `hidden` `[1, d]`; for ALiBi `positions` `[1, 1]`; of layer i, if it rotates, `{i}.cos` and `{i}.sin` `[1, columns / 2]`,
 * `{i}.keys` and `{i}.values` `[H_kv, 1, slots, m]`, `{i}.mask` `[slots + 1]`, which is added to the scores of the slots and, last, of the
 * token's own key, `{i}.sinks` `[H]` if it has them, and the weights that are not inside, as `{i}.project.` and `{i}.output.` with their
 * names. Outputs: `next` `[1, d]`; of layer i `{i}.key` and `{i}.value` `[H_kv, 1, m]` for its cache, and if inspected `{i}.hidden`
 * `[1, d]`, before it, `{i}.query` and `{i}.attended` `[H, 1, m]`.
 *
 * @param forRuntime whether ONNX Runtime's own operators may be used
 */
export function decodeStepGraph(architecture: Architecture, layers: readonly StepLayer[], inspected: boolean, forRuntime: boolean): Graph {
  const { width, heads, keyValueHeads, headWidth } = architecture.shape;
  const g = new GraphBuilder('decode-step', forRuntime);
  const positions = architecture.alibi && g.input('positions', [1, 1]);
  let hidden = g.input('hidden', [1, width]);
  layers.forEach(({ project, outputAndMlp, columns, sinks }, index) => {
    const own = (name: string): string => `${index}.${name}`;
    const rotary: RotaryValues | undefined =
      columns === undefined
        ? undefined
        : { columns, cos: g.input(own('cos'), [1, columns / 2]), sin: g.input(own('sin'), [1, columns / 2]) };
    const { query, key, value } = projectInto(g, architecture, hidden, weightValues(g, project, own('project.')), rotary, positions);
    const [keys, values] = ['keys', 'values'].map((name) => g.input(own(name), [keyValueHeads, 1, own('slots'), headWidth]));
    const cache = { keys, values, mask: g.input(own('mask'), [own('places')]) };
    const attended = attendCachedInto(g, architecture, { query, key, value }, cache, sinks ? g.input(own('sinks'), [heads]) : undefined);
    g.output(own('key'), key, [keyValueHeads, 1, headWidth]);
    g.output(own('value'), value, [keyValueHeads, 1, headWidth]);
    if (inspected) {
      g.output(own('hidden'), hidden, [1, width]);
      g.output(own('query'), query, [heads, 1, headWidth]);
      g.output(own('attended'), attended, [heads, 1, headWidth]);
    }
    hidden = outputAndMlpInto(g, architecture, hidden, attended, weightValues(g, outputAndMlp, own('output.')));
  });
  g.output('next', hidden, [1, width]);
  return g.buildApart();
}

/**
 * Attention of a token over the slots of a cache and its own key: a product for each query head, of one row, for which ONNX Runtime reads
 * keys and values as they lie. Its `GroupQueryAttention` does it in one operator, and takes several times as long for one row.
 *
 * @returns `[H, 1, m]`
 */
function attendCachedInto(
  g: GraphBuilder,
  { shape: { heads, keyValueHeads, headWidth, scoreCap } }: Architecture,
  { query, key, value }: Record<'query' | 'key' | 'value', Value>,
  { keys, values, mask }: Record<'keys' | 'values' | 'mask', Value>,
  sinks: Value | undefined,
): Value {
  const shared = heads / keyValueHeads;
  const queries = g.reshape(query, [keyValueHeads, shared, 1, headWidth]);
  const own = g.matMul(queries, g.reshape(key, [keyValueHeads, 1, headWidth, 1]));
  const products = g.concat(-1, g.matMul(queries, g.transpose(keys, [0, 1, 3, 2])), own);
  const scores = g.add(scoreCap === undefined ? products : g.cap(products, g.scalar(scoreCap)), mask);
  // A learned sink is one more key, whose value is 0.
  const ofSink = sinks === undefined ? [] : [g.reshape(sinks, [keyValueHeads, shared, 1, 1])];
  const weights = g.softmax(sinks === undefined ? scores : g.concat(-1, scores, ...ofSink));
  const end = -ofSink.length;
  const ofCache = g.matMul(g.slice(weights, -1, 0, end - 1), values);
  const ofOwn = g.multiply(g.slice(weights, -1, end - 1, end === 0 ? largestEnd : end), g.reshape(value, [keyValueHeads, 1, 1, headWidth]));
  return g.reshape(g.add(ofCache, ofOwn), [heads, 1, headWidth]);
}

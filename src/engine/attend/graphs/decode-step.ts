import type { Architecture } from '../../read/model/architecture';
import type { OutputAndMlpWeight, ProjectWeight } from '../../read/model/weights';
import { type Graph, GraphBuilder, type Value } from '../onnx/graph-builder';
import { type GivenWeights, runtimeDomain, weightValues } from './linear';
import { outputAndMlpInto, projectInto, type RotaryValues } from './tokenwise';

/** Slots of a tile of a cache. Those of a part-filled one are read in vain; calls are counted by M, whatever this is. */
export const tileSlots = 128;

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
 * Inputs: `hidden` `[1, d]`; for ALiBi `positions` `[1, 1]`; of layer i, if it rotates, `{i}.cos` and `{i}.sin` `[1, columns]`,
 * `{i}.keys` and `{i}.values` `[tiles, H_kv, 1, slots, m]`, `{i}.mask` `[tiles, 1, 1, 1, slots]`, which is added to their scores, and
 * `{i}.ownMask` `[1]` to that of the token's own key, `{i}.sinks` `[H]` if it has them, and the weights that are not inside, as
 * `{i}.project.` and `{i}.output.` with their names. Outputs: `next` `[1, d]`; of layer i
 * `{i}.key` and `{i}.value` `[H_kv, 1, m]` for its cache, and if inspected `{i}.hidden` `[1, d]`, before it, `{i}.query` and
 * `{i}.attended` `[H, 1, m]`.
 */
export function decodeStepGraph(architecture: Architecture, layers: readonly StepLayer[], inspected: boolean): Graph {
  const { width, heads, keyValueHeads, headWidth } = architecture.shape;
  const g = new GraphBuilder('decode-step');
  const positions = architecture.alibi && g.input('positions', [1, 1]);
  let hidden = g.input('hidden', [1, width]);
  layers.forEach(({ project, outputAndMlp, columns, sinks }, index) => {
    const own = (name: string): string => `${index}.${name}`;
    const rotary: RotaryValues | undefined =
      columns === undefined ? undefined : { columns, cos: g.input(own('cos'), [1, columns]), sin: g.input(own('sin'), [1, columns]) };
    const { query, key, value } = projectInto(g, architecture, hidden, weightValues(g, project, own('project.')), rotary, positions);
    const cached = (name: string): Value => g.input(own(name), [own('tiles'), keyValueHeads, 1, tileSlots, headWidth]);
    const cache = {
      keys: cached('keys'),
      values: cached('values'),
      mask: g.input(own('mask'), [own('tiles'), 1, 1, 1, tileSlots]),
      ownMask: g.input(own('ownMask'), [1]),
    };
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
  return g.buildApart({ domains: [runtimeDomain] });
}

/**
 * Attention of a token over a cache and its own key: the tiles of each head, one query each, merged by one reference, which is the
 * largest of all their scores, so that no tile has to be run again.
 *
 * @returns `[H, 1, m]`
 */
function attendCachedInto(
  g: GraphBuilder,
  { shape: { heads, keyValueHeads, headWidth, scoreCap } }: Architecture,
  { query, key, value }: Record<'query' | 'key' | 'value', Value>,
  cache: Record<'keys' | 'values' | 'mask' | 'ownMask', Value>,
  sinks: Value | undefined,
): Value {
  const shared = heads / keyValueHeads;
  const capped = (products: Value): Value => (scoreCap === undefined ? products : g.cap(products, g.scalar(scoreCap)));
  // A product for each query head, of one row: ONNX Runtime reads keys and values as they lie for that, and packs them for more rows.
  const queries = g.reshape(query, [keyValueHeads, shared, 1, headWidth]);
  const scores = g.add(capped(g.matMul(queries, g.transpose(cache.keys, [0, 1, 2, 4, 3]))), cache.mask);
  const own = g.add(capped(g.matMul(queries, g.reshape(key, [keyValueHeads, 1, headWidth, 1]))), cache.ownMask);
  // A learned sink is one more key, whose value is 0.
  const others = [own, ...(sinks === undefined ? [] : [g.reshape(sinks, [keyValueHeads, shared, 1, 1])])];
  const reference = others.reduce((highest, each) => g.max(highest, each), g.reduceMax(scores, 0, 4));
  const weigh = (score: Value): Value => g.exp(g.subtract(score, reference));
  const [weights, [ofOwn, ...ofSink]] = [weigh(scores), others.map(weigh)];
  const sum = [ofOwn, ...ofSink].reduce((total, each) => g.add(total, each), g.reduceSum(weights, 0, 4));
  const ofCache = g.reduceSum(g.matMul(weights, cache.values), 0);
  const weighted = g.add(ofCache, g.multiply(ofOwn, g.reshape(value, [keyValueHeads, 1, 1, headWidth])));
  return g.reshape(g.divide(weighted, sum), [heads, 1, headWidth]);
}

import type { Architecture } from '../../read/model/architecture';
import type { OutputAndMlpWeight, ProjectWeight } from '../../read/model/weights';
import { type Graph, GraphBuilder, type Value } from '../onnx/graph-builder';
import { type GivenWeights, runtimeDomain, weightValues } from './linear';
import { outputAndMlpInto, projectInto, type RotaryValues } from './tokenwise';

/** What the graph of a step needs to know of a layer. */
export interface StepLayer {
  readonly project: GivenWeights<ProjectWeight>;
  readonly outputAndMlp: GivenWeights<OutputAndMlpWeight>;
  /** Columns of a head that rotate; undefined if none do. */
  readonly columns: number | undefined;
  /** Slots of a tile of its cache. */
  readonly rows: number;
  /** Scores `[H]` of learned sinks, if it has them. */
  readonly sinks: Float32Array | undefined;
}

/**
 * One token through some layers, its attention over the keys and values in their caches included.
 *
 * Inputs: `hidden` `[1, d]`; for ALiBi `positions` `[1, 1]`; of layer i, if it rotates, `{i}.cos` and `{i}.sin` `[1, columns]`,
 * `{i}.keys` and `{i}.values` `[tiles, H_kv, 1, rows, m]`, `{i}.mask` `[1, tiles * rows + 1]`, which is added to the scores, the last
 * of them that of the token's own key, and `{i}.` with the name of each weight that is not inside. Outputs: `next` `[1, d]`; of layer i
 * `{i}.key` and `{i}.value` `[H_kv, 1, m]` for its cache, and if inspected `{i}.hidden` `[1, d]`, before it, `{i}.query` and
 * `{i}.attended` `[H, 1, m]`.
 */
export function decodeStepGraph(architecture: Architecture, layers: readonly StepLayer[], inspected: boolean): Graph {
  const { width, heads, keyValueHeads, headWidth } = architecture.shape;
  const g = new GraphBuilder('decode-step');
  const positions = architecture.alibi && g.input('positions', [1, 1]);
  let hidden = g.input('hidden', [1, width]);
  layers.forEach(({ project, outputAndMlp, columns, rows, sinks }, index) => {
    const own = (name: string): string => `${index}.${name}`;
    const rotary: RotaryValues | undefined =
      columns === undefined ? undefined : { columns, cos: g.input(own('cos'), [1, columns]), sin: g.input(own('sin'), [1, columns]) };
    const { query, key, value } = projectInto(g, architecture, hidden, weightValues(g, project, own('project.')), rotary, positions);
    const cached = (name: string): Value => g.input(own(name), [own('tiles'), keyValueHeads, 1, rows, headWidth]);
    const cache = { keys: cached('keys'), values: cached('values'), mask: g.input(own('mask'), [1, own('slots')]) };
    const attended = attendCachedInto(g, architecture, { query, key, value }, { ...cache, rows, sinks });
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
  cache: Record<'keys' | 'values' | 'mask', Value> & Pick<StepLayer, 'rows' | 'sinks'>,
): Value {
  const [shared, last] = [heads / keyValueHeads, -1];
  // A product for each query head, of one row: ONNX Runtime reads keys and values as they lie for that, and packs them for more rows.
  const queries = g.reshape(query, [keyValueHeads, shared, 1, headWidth]);
  const tiled = g.matMul(queries, g.transpose(cache.keys, [0, 1, 2, 4, 3]));
  const cached = g.reshape(g.transpose(tiled, [1, 2, 3, 0, 4]), [keyValueHeads, shared, 1, last]);
  const own = g.matMul(queries, g.reshape(key, [keyValueHeads, 1, headWidth, 1]));
  const products = g.concat(3, cached, own);
  const scores = g.add(scoreCap === undefined ? products : g.cap(products, g.scalar(scoreCap)), cache.mask);
  const { sinks } = cache;
  const joined = sinks === undefined ? scores : g.concat(3, g.floats([keyValueHeads, shared, 1, 1], sinks), scores);
  // Weights of a sink, if there is one, of the cache, and of the token itself.
  const weights = g.softmax(joined);
  const first = sinks === undefined ? 0 : 1;
  const ofCache = g.reshape(g.slice(weights, 3, first, last), [keyValueHeads, shared, 1, last, cache.rows]);
  const mean = g.reduceSum(g.matMul(g.transpose(ofCache, [3, 0, 1, 2, 4]), cache.values), 0);
  const ofOwn = g.slice(weights, 3, last, Number.MAX_SAFE_INTEGER);
  const all = g.add(mean, g.multiply(ofOwn, g.reshape(value, [keyValueHeads, 1, 1, headWidth])));
  return g.reshape(all, [heads, 1, headWidth]);
}

import { compiledScoreBytes } from '../../../core/plan/attention-cost';
import { modelPositions, numbersIn, type Positions, wholePrompt } from '../../../core/shards/cut';
import type { Range } from '../../../core/scenario/scenario';
import { layerParts, type LayerPlan, partOfLayers, type Plan } from '../../../core/plan/plan';
import { logitsInto, normalise, outputAndMlpInto, projectInto, required, type RotaryValues, scaledBy } from '../graphs/tokenwise';
import type { WeightValues } from '../graphs/linear';
import type { Architecture } from '../../read/model/architecture';
import type { LayerWeights, LoadedModel } from '../../read/model/load';
import { joinedTables, type RotaryEmbedding, rotaryTable } from '../../read/model/rope';
import type { Weight, Weights } from '../../read/model/weights';
import { GraphBuilder, type Value } from '../onnx/graph-builder';
import { compileAttention, type CompiledAttention } from './attention';
import { callMergeStates, type StateValues } from './functions';

/** A graph of small-transformer calls, not yet serialised. */
export interface CompiledGraph {
  readonly graph: GraphBuilder;
  /** Single-head tiles that its attention reads; H'L' of them make one call. */
  readonly instances: number;
}

/**
 * One layer's attention as one graph.
 *
 * Inputs `query` `[H, N, m]`, `key` and `value` `[H_kv, N, m]`; outputs `out` `[H, N, m]` and `logNormaliser` `[H, N]`.
 *
 * @param scale `[m]`: what each column of the queries is multiplied by in the graph; where it is left out, the queries that are
 *   given carry their factor already
 */
export function attentionGraph(plan: LayerPlan, scale?: Float32Array): CompiledGraph {
  const { heads, keyValueHeads, headWidth } = plan.model;
  const graph = new GraphBuilder('attention');
  const query = graph.input('query', [heads, plan.tokens, headWidth]);
  const attended = compileAttention(
    graph,
    plan,
    {
      query: scale === undefined ? query : graph.multiply(query, graph.floats([headWidth], scale, 'scale')),
      key: graph.input('key', [keyValueHeads, plan.tokens, headWidth]),
      value: graph.input('value', [keyValueHeads, plan.tokens, headWidth]),
    },
    compiledScoreBytes,
  );
  outputAttention(graph, plan, attended);
  return { graph, instances: attended.instances };
}

/**
 * The attention of one more head beside those of a layer, as one graph: the same calls and merges, in nodes of as many tiles.
 *
 * Inputs and outputs are those of `attentionGraph` with one head, and `sinks` `[1]` if the layer has learned sinks.
 */
export function oneHeadGraph(plan: LayerPlan, sinks: boolean): GraphBuilder {
  const { heads, headWidth } = plan.model;
  const single: LayerPlan = { ...plan, model: { ...plan.model, heads: 1, keyValueHeads: 1 } };
  const graph = new GraphBuilder('one-head');
  const operand = [1, plan.tokens, headWidth];
  const layer = { query: graph.input('query', operand), key: graph.input('key', operand), value: graph.input('value', operand) };
  const overKeys = compileAttention(graph, single, layer, compiledScoreBytes / heads);
  outputAttention(graph, single, sinks ? { ...overKeys, ...mergeSinks(graph, overKeys, graph.input('sinks', [1])) } : overKeys);
  return graph;
}

/**
 * One transformer layer as one graph with its weights inside: `hidden` `[N, d]` to `next` `[N, d]`.
 *
 * @param inspected also output `query`, `key`, `value`, `out` and `logNormaliser`, to be checked
 * @param positions where in a prompt the rows lie
 */
export function layerGraph(
  plan: LayerPlan,
  architecture: Architecture,
  weights: LayerWeights,
  inspected: boolean,
  positions = wholePrompt(plan.tokens),
): CompiledGraph {
  const { width, heads, keyValueHeads, headWidth } = architecture.shape;
  const graph = new GraphBuilder('layer');
  const constants = new Constants(graph, positions, headWidth);
  const layer = compileLayer(constants, plan, architecture, weights, graph.input('hidden', [plan.tokens, width]));
  graph.output('next', layer.next, [plan.tokens, width]);
  if (inspected) {
    graph.output('query', layer.query, [heads, plan.tokens, headWidth]);
    graph.output('key', layer.key, [keyValueHeads, plan.tokens, headWidth]);
    graph.output('value', layer.value, [keyValueHeads, plan.tokens, headWidth]);
    outputAttention(graph, plan, layer.attended);
  }
  return { graph, instances: layer.attended.instances };
}

/**
 * The whole model as one graph of small-transformer calls: `tokens` `[N]` int64 to `logits` `[1, vocabulary]`, for the
 * token after the last, or `[N, vocabulary]`, for the token after each one.
 */
export function modelGraph(plan: Plan, model: LoadedModel, logits: 'last' | 'all' = 'last'): CompiledGraph {
  const { vocabulary, headWidth } = model.shape;
  const graph = new GraphBuilder('transformer');
  const constants = new Constants(graph, wholePrompt(plan.tokens), headWidth);
  const parts = layerParts(plan);
  const partOf = partOfLayers(plan);
  let hidden = embedInto(constants, model, graph.input('tokens', [plan.tokens], 'int64'), plan.tokens);
  let instances = 0;
  for (const [index, weights] of model.layers.entries()) {
    const layer = compileLayer(constants, parts[partOf[index]].plan, model, weights, hidden, `layers.${index}.`);
    hidden = layer.next;
    instances += layer.attended.instances;
  }
  const read = logits === 'all' ? hidden : graph.slice(hidden, 0, plan.tokens - 1, plan.tokens);
  graph.output('logits', logitsInto(graph, model, read, constants.all(model.head)), [logits === 'all' ? plan.tokens : 1, vocabulary]);
  return { graph, instances };
}

/** Constants of a graph, stored once even if several layers read them. */
class Constants {
  /** By what holds their numbers: several weights may be the same ones. */
  private readonly weights = new Map<object, Value>();
  private readonly tables = new Map<RotaryEmbedding, RotaryValues>();
  private places: Value | undefined;

  constructor(
    readonly graph: GraphBuilder,
    private readonly positions: Positions,
    private readonly headWidth: number,
  ) {}

  /** Weights by name. @param prefix of their names in the graph */
  all<Name extends string>(weights: Weights<Name>, prefix = ''): WeightValues<Name> {
    const entries = Object.entries(weights as Readonly<Record<string, Weight>>);
    return Object.fromEntries(entries.map(([name, weight]) => [name, this.one(weight, `${prefix}${name}`)])) as WeightValues<Name>;
  }

  /** The positions that the model gives the rows. */
  private get given(): readonly Range[] {
    return this.positions.ranges.flatMap((range) => modelPositions(this.positions, range));
  }

  /** Cosines and sines of every row. */
  rotary(rotary: RotaryEmbedding): RotaryValues {
    let values = this.tables.get(rotary);
    if (values === undefined) {
      const { tokens } = this.positions;
      const tables = this.given.map(({ from, to }) => rotaryTable(rotary, to - from, from, this.headWidth, tokens));
      const { columns, cos, sin } = joinedTables(tables);
      const shape = [(2 * cos.length) / columns, columns / 2];
      values = { columns, cos: this.graph.floats(shape, cos), sin: this.graph.floats(shape, sin) };
      this.tables.set(rotary, values);
    }
    return values;
  }

  /** The position of every row, `[N, 1]`. */
  rows(): Value {
    const positions = numbersIn(this.given);
    return (this.places ??= this.graph.floats([positions.length, 1], Float32Array.from(positions)));
  }

  private one(weight: Weight, name: string): Value {
    let value = this.weights.get(weight);
    if (value === undefined) {
      value = this.graph.floats(weight.shape, weight.data, name);
      this.weights.set(weight, value);
    }
    return value;
  }
}

/** `tokens` `[N]` to the residual stream before the first layer; the same as `embed` outside a graph. */
function embedInto(constants: Constants, model: LoadedModel, tokens: Value, tokenCount: number): Value {
  const { graph } = constants;
  const weights = constants.all(model.embedding);
  const words = scaledBy(graph, graph.gather(required(weights, 'words'), tokens, 0), model.multipliers?.embedding);
  const placed = weights.positions === undefined ? words : graph.add(words, graph.slice(weights.positions, 0, 0, tokenCount));
  const summed = weights.segments === undefined ? placed : graph.add(placed, graph.slice(weights.segments, 0, 0, 1));
  return weights.embeddingNormWeight === undefined
    ? summed
    : normalise(graph, model.norm, summed, weights.embeddingNormWeight, weights.embeddingNormBias);
}

interface CompiledLayer extends Readonly<Record<'next' | 'query' | 'key' | 'value', Value>> {
  readonly attended: CompiledAttention;
}

/** @param prefix of the names of the layer's weights */
function compileLayer(
  constants: Constants,
  plan: LayerPlan,
  architecture: Architecture,
  weights: LayerWeights,
  hidden: Value,
  prefix = '',
): CompiledLayer {
  const { graph } = constants;
  const rotary = weights.rotary && constants.rotary(weights.rotary);
  const projected = projectInto(
    graph,
    architecture,
    hidden,
    constants.all(weights.project, prefix),
    rotary,
    architecture.alibi && constants.rows(),
  );
  const overKeys = compileAttention(graph, plan, projected, compiledScoreBytes);
  const { sinks } = constants.all(weights.attend, prefix);
  const attended = sinks === undefined ? overKeys : { ...overKeys, ...mergeSinks(graph, overKeys, sinks) };
  const next = outputAndMlpInto(graph, architecture, hidden, attended.out, constants.all(weights.outputAndMlp, prefix));
  return { ...projected, attended, next };
}

/** The same as `mergeSinks` of tiles, in a graph: `sinks` is `[H]`. */
function mergeSinks(g: GraphBuilder, overKeys: StateValues, sinks: Value): StateValues {
  return callMergeStates(g, overKeys, { out: g.scalar(0), logNormaliser: g.reshape(sinks, [-1, 1, 1]) });
}

function outputAttention(g: GraphBuilder, { tokens, model: { heads, headWidth } }: Plan, { out, logNormaliser }: CompiledAttention): void {
  g.output('out', out, [heads, tokens, headWidth]);
  g.output('logNormaliser', g.reshape(logNormaliser, [heads, tokens]), [heads, tokens]);
}

import type { Plan } from '../../core/plan/plan';
import type { ModelShape } from '../../core/shapes';
import { outputAndMlpInto } from '../graphs/output-and-mlp';
import { projectInto } from '../graphs/project';
import { rmsNorm } from '../graphs/rms-norm';
import type { ModelConfig } from '../model/config';
import type { LayerWeights, LoadedModel } from '../model/load';
import { GraphBuilder, type Value } from '../onnx/graph-builder';
import { rotaryTable } from '../oracle/rotary';
import { compileAttention, type CompiledAttention } from './attention';

/** A graph made of small-transformer calls, not yet written. */
export interface CompiledGraph {
  readonly graph: GraphBuilder;
  /** Single-head tiles that its attention reads; H'L' of them are one call. */
  readonly instances: number;
}

/** Scores of one node, in bytes: on a device that keeps them to itself, many calls at once are better than few. */
export const compiledScoreBytes = 256 * 1024 * 1024;

/**
 * One layer's attention as one graph.
 *
 * Inputs `query` `[H, N, m]` (scaled by 1/sqrt(m)), `key` and `value` `[H_kv, N, m]`; outputs `out` `[H, N, m]` and
 * `logNormaliser` `[H, N]`.
 */
export function attentionGraph(plan: Plan): CompiledGraph {
  const { heads, keyValueHeads, headWidth } = plan.model;
  const graph = new GraphBuilder('attention');
  const attended = compileAttention(
    graph,
    plan,
    {
      query: graph.input('query', [heads, plan.tokens, headWidth]),
      key: graph.input('key', [keyValueHeads, plan.tokens, headWidth]),
      value: graph.input('value', [keyValueHeads, plan.tokens, headWidth]),
    },
    compiledScoreBytes,
  );
  outputAttention(graph, plan, attended);
  return { graph, instances: attended.instances };
}

/**
 * One transformer layer as one graph, its weights inside: `hidden` `[N, d]` to `next` `[N, d]`.
 *
 * @param inspected also gives out `query`, `key`, `value`, `out` and `logNormaliser`, to be checked
 */
export function layerGraph(plan: Plan, config: ModelConfig, weights: LayerWeights, inspected: boolean): CompiledGraph {
  const { width, heads, keyValueHeads, headWidth } = config.shape;
  const graph = new GraphBuilder('layer');
  const layer = compileLayer(graph, plan, config, weights, graph.input('hidden', [plan.tokens, width]), rotaryValues(graph, plan, config));
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
 * The whole model as one graph of small-transformer calls: `tokens` `[N]` int64 to `logits` `[1, vocabulary]`, those of the
 * token after the last, or `[N, vocabulary]`, those after every one.
 */
export function modelGraph(plan: Plan, model: LoadedModel, logits: 'last' | 'all' = 'last'): CompiledGraph {
  const { width, vocabulary } = model.shape;
  const graph = new GraphBuilder('transformer');
  const rotary = rotaryValues(graph, plan, model);
  const embedding = graph.floats([vocabulary, width], model.embedding, 'embedding');
  let hidden = graph.gather(embedding, graph.input('tokens', [plan.tokens], 'int64'), 0);
  let instances = 0;
  for (const [index, weights] of model.layers.entries()) {
    const layer = compileLayer(graph, plan, model, weights, hidden, rotary, `layers.${index}.`);
    hidden = layer.next;
    instances += layer.attended.instances;
  }
  const read = logits === 'all' ? hidden : graph.slice(hidden, 0, plan.tokens - 1, plan.tokens);
  const head = model.tiedHead ? embedding : graph.floats([vocabulary, width], model.head, 'head');
  const normed = rmsNorm(graph, read, graph.floats([width], model.finalNorm, 'finalNorm'), model.normEpsilon);
  graph.output('logits', graph.linear(normed, head), [logits === 'all' ? plan.tokens : 1, vocabulary]);
  return { graph, instances };
}

type Rotary = Readonly<Record<'cos' | 'sin', Value>>;

function rotaryValues(g: GraphBuilder, { tokens }: Plan, { shape, ropeTheta }: ModelConfig): Rotary {
  const { cos, sin } = rotaryTable(tokens, 0, shape.headWidth, ropeTheta);
  return { cos: g.floats([tokens, shape.headWidth], cos), sin: g.floats([tokens, shape.headWidth], sin) };
}

interface CompiledLayer extends Readonly<Record<'next' | 'query' | 'key' | 'value', Value>> {
  readonly attended: CompiledAttention;
}

/** @param prefix begins the names of the layer's weights */
function compileLayer(g: GraphBuilder, plan: Plan, { shape, normEpsilon }: ModelConfig, weights: LayerWeights, hidden: Value, rotary: Rotary, prefix = ''): CompiledLayer {
  const constant = weightValues(g, shape, weights, prefix);
  const projected = projectInto(g, shape, normEpsilon, { hidden, ...rotary, ...constant, norm: constant.attentionNorm });
  const attended = compileAttention(g, plan, projected, compiledScoreBytes);
  const next = outputAndMlpInto(g, shape, normEpsilon, { hidden, attended: attended.out, ...constant, norm: constant.mlpNorm });
  return { ...projected, attended, next };
}

function weightValues(g: GraphBuilder, { width, heads, keyValueHeads, headWidth, feedForwardWidth }: ModelShape, weights: LayerWeights, prefix: string) {
  const named = (name: keyof LayerWeights, shape: readonly number[]): Value => g.floats(shape, weights[name], `${prefix}${name}Weight`);
  return {
    attentionNorm: named('attentionNorm', [width]),
    queryWeight: named('query', [heads * headWidth, width]),
    keyWeight: named('key', [keyValueHeads * headWidth, width]),
    valueWeight: named('value', [keyValueHeads * headWidth, width]),
    outputWeight: named('output', [width, heads * headWidth]),
    mlpNorm: named('mlpNorm', [width]),
    gateWeight: named('gate', [feedForwardWidth, width]),
    upWeight: named('up', [feedForwardWidth, width]),
    downWeight: named('down', [width, feedForwardWidth]),
  };
}

function outputAttention(g: GraphBuilder, { tokens, model: { heads, headWidth } }: Plan, { out, logNormaliser }: CompiledAttention): void {
  g.output('out', out, [heads, tokens, headWidth]);
  g.output('logNormaliser', g.reshape(logNormaliser, [heads, tokens]), [heads, tokens]);
}

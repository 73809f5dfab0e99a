import { formatNumberOf } from '../../../core/format';
import type { Plan } from '../../../core/plan/plan';
import { choiceDefinition, scenarioLabel } from '../../../core/scenario/scenario';
import { hiddenScore } from '../../attend/graphs/attend';
import type { Architecture } from '../../read/model/architecture';
import type { ExportPart } from './options';

/** What a graph says of itself: to viewers as documentation, to programs as properties. */
export interface Description {
  readonly documentation: string;
  /** By the name of an input or output. */
  readonly values: Readonly<Record<string, string>>;
  readonly metadata: Readonly<Record<string, string>>;
}

/** What scores are multiplied by, and the columns `[m]` of queries that carry it. */
export interface ScoreScale {
  readonly factor: number;
  readonly columns: Float32Array;
}

/** What of a model's architecture sets the scale of its scores. */
export type ScoreFactors = Pick<Architecture, 'alibi' | 'multipliers'>;

/** The scale of a model's scores. With ALiBi the last column of queries is a slope, which nothing multiplies. */
export function scoreScaleOf(headWidth: number, { alibi, multipliers }: ScoreFactors): ScoreScale {
  const projected = alibi === undefined ? headWidth : headWidth - 1;
  const factor = multipliers?.scores ?? 1 / Math.sqrt(projected);
  return { factor, columns: Float32Array.from({ length: headWidth }, (_, column) => (column < projected ? factor : 1)) };
}

/** Layout, scale, base of the logarithm and mask of an exported graph, the same for every part. */
export function descriptionOf(plan: Plan, part: ExportPart, factors: ScoreFactors): Description {
  const { scenario, tokens, oracle, model } = plan;
  const { heads, keyValueHeads, headWidth, vocabulary, scoreCap } = model;
  const { factor } = scoreScaleOf(headWidth, factors);
  const group = heads / keyValueHeads;
  const score = scoreCap === undefined ? 'scale * <query, key>' : `c * tanh(scale * <query, key> / c) with c = ${scoreCap}`;
  const scale = `${factor} times the product of query and key${factors.alibi === undefined ? '' : ', but for their last column: the slope of the head in queries, the position in keys, 0 in values'}`;
  const mask = `${scenarioLabel(scenario)}: ${choiceDefinition(scenario.kind).description} Positions q and k count from 0. A hidden pair is in no tile, or ${hiddenScore} is added to its score.`;
  const layouts = {
    attention: {
      query: `float32 [heads ${heads}, tokens ${tokens}, width ${headWidth}], row-major; not scaled: the graph does that. Rotary embeddings are in it already.`,
      key: `float32 [key-value heads ${keyValueHeads}, tokens ${tokens}, width ${headWidth}], row-major; head h of the queries reads head ${group === 1 ? 'h' : `floor(h / ${group})`}. Rotary embeddings are in it already.`,
      value: `float32 [key-value heads ${keyValueHeads}, tokens ${tokens}, width ${headWidth}], row-major.`,
      out: `float32 [heads ${heads}, tokens ${tokens}, width ${headWidth}], row-major: the mean of the values that a query sees, weighted by softmax(score), score = ${score}.`,
      logNormaliser: `float32 [heads ${heads}, tokens ${tokens}]: the natural logarithm of the sum of exp(score) over the keys that a query sees.`,
    },
    model: {
      tokens: `int64 [tokens ${tokens}]: token ids, special tokens included.`,
      logits: `float32 [1, vocabulary ${vocabulary}]: of the token after the last, before softmax.`,
    },
  } as const;
  const values = layouts[part];
  return {
    documentation: [
      `${part === 'attention' ? "One layer's attention" : 'A whole model'} on ${formatNumberOf(tokens, 'token')} as calls of a small transformer that reads ${oracle.inputLength} tokens (Yu and Alman, arXiv 2506.12220).`,
      ...Object.entries(values).map(([name, text]) => `${name}: ${text}`),
      `Scale: ${scale}; the graph applies it.`,
      'Logarithms are natural.',
      `Mask: ${mask}`,
    ].join('\n'),
    values,
    metadata: {
      ...Object.fromEntries(Object.entries(values).map(([name, text]) => [`layout.${name}`, text])),
      scale: String(factor),
      scaleAppliedBy: 'graph',
      ...(scoreCap === undefined ? {} : { scoreCap: String(scoreCap) }),
      logarithm: 'natural',
      mask,
      hiddenScore: String(hiddenScore),
    },
  };
}

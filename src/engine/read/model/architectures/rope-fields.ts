import * as z from 'zod';
import { said, text } from '../../../../core/l10n';
import { quoted } from '../../../../core/text/printable';
import { longropeAttentionFactor, type RopeScaling, type RotaryEmbedding, yarnAttentionFactor } from '../rope';
import { factor, flag, readFields, refuse, theta, tokens } from './fields';

/** A negative value could make the scale of sines 0, or divide by 0. */
const mscale = z.number().nonnegative().max(1e6);

/**
 * Rotary parameters in any form: of transformers 4 (`rope_scaling`, with `type` in early versions) and of transformers 5
 * (`rope_parameters`).
 */
const ropeSchema = z.strictObject({
  rope_type: z.string().optional(),
  type: z.string().optional(),
  rope_theta: theta.optional(),
  factor: factor.optional(),
  partial_rotary_factor: z.number().optional(),
  original_max_position_embeddings: tokens.optional(),
  low_freq_factor: factor.optional(),
  high_freq_factor: factor.optional(),
  beta_fast: factor.nullish(),
  beta_slow: factor.nullish(),
  attention_factor: factor.nullish(),
  mscale: mscale.nullish(),
  mscale_all_dim: mscale.nullish(),
  truncate: flag(true),
  short_factor: z.array(factor).optional(),
  long_factor: z.array(factor).optional(),
  /** Written by some YaRN models; says that the model was trained on with its scaling. */
  finetuned: z.boolean().nullish(),
  /** For other programs than transformers, which does not read it either. */
  attn_factor: z.number().optional(),
});
type RopeFields = z.infer<typeof ropeSchema>;

/** Fields of a configuration that the rotary parameters depend on. */
interface RopeContext {
  /** Base of the frequencies, unless the parameters have one. */
  readonly theta: number;
  /** `max_position_embeddings`. */
  readonly maximumTokens: number;
  /** Where a rope may have a list of factors for each of two lengths: the tokens up to which the first counts. */
  readonly originalTokens?: number;
  /** Where a part of each head may rotate: its share, unless the parameters have one. */
  readonly partial?: { readonly factor: number; readonly headWidth: number };
  readonly path: string;
}

/** Fields of rotary parameters in a configuration: of transformers 4, and of transformers 5. */
interface RopeSources {
  readonly rope_scaling?: unknown;
  readonly rope_parameters?: unknown;
}

/** Fields of rotary parameters that were not checked yet. */
type RopeNames = Readonly<Partial<Record<keyof RopeFields, unknown>>>;

/**
 * The field with the rotary parameters that count. As in transformers 5, `rope_scaling` counts first, and the other not at all,
 * its base included.
 *
 * @returns the parameters, and notes of what does not count
 */
export function ropeSource({ rope_scaling: scaling, rope_parameters: parameters }: RopeSources): { json: unknown; notes: string[] } {
  const given = (value: unknown): boolean =>
    value !== undefined && value !== null && (typeof value !== 'object' || Object.keys(value).length > 0);
  const json = given(scaling) ? scaling : given(parameters) ? parameters : undefined;
  const both = given(scaling) && given(parameters) && !sameFields(scaling, parameters);
  const rope: RopeNames = typeof json === 'object' && json !== null ? json : {};
  const notes = [
    ...(both ? [bothRopes] : []),
    ...('attn_factor' in rope ? [unreadFactor] : []),
    ...((rope.rope_type ?? rope.type) === 'dynamic' && 'original_max_position_embeddings' in rope ? [unreadLength] : []),
  ];
  return { json, notes };
}

const bothRopes = text(
  'config.json has rope_scaling and rope_parameters: as in transformers 5, rope_scaling counts, and rope_parameters does not, its rope_theta included.',
);

const unreadFactor = text('The attn_factor of the rope is not read, as in transformers; attention_factor would be.');

const unreadLength = text(
  'The original_max_position_embeddings of a dynamic rope is not read, as in transformers: max_position_embeddings counts.',
);

/** Whether two JSON objects have the same fields with the same numbers and texts. */
function sameFields(one: unknown, other: unknown): boolean {
  const fields = (value: unknown): Readonly<Record<string, unknown>> =>
    typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
  const [first, second] = [fields(one), fields(other)];
  const keys = Object.keys(first);
  return keys.length === Object.keys(second).length && keys.every((key) => first[key] === second[key]);
}

/**
 * A rotary embedding from `rope_scaling` or `rope_parameters`.
 *
 * @param json the field's value; if absent, the embedding is plain
 * @throws InputError for an unsupported kind of scaling, or one without its parameters
 */
export function rotaryFrom(json: unknown, context: RopeContext): RotaryEmbedding {
  if (json === undefined || json === null) {
    return { theta: context.theta, scaling: { type: 'none' }, ...columnsOf(context.partial?.factor, context) };
  }
  const nested = typeof json === 'object' ? Object.keys(json).find((key) => key.endsWith('_attention')) : undefined;
  if (nested !== undefined) {
    refuse(context.path, said`a rope of its own for ${quoted(nested)} layers`, text('a model with one rope for all layers'));
  }
  const fields = readFields(ropeSchema, json, `${context.path}: rope parameters`);
  const columns = columnsOf(fields.partial_rotary_factor ?? context.partial?.factor, context);
  return { theta: fields.rope_theta ?? context.theta, scaling: scalingOf(fields, context), ...columns };
}

/** Columns that rotate, where they are a part of each head. @throws InputError for a part that cannot rotate */
function columnsOf(share = 1, { partial, path }: RopeContext): Pick<RotaryEmbedding, 'columns'> {
  if (share === 1) {
    return {};
  }
  if (partial === undefined) {
    refuse(path, `partial_rotary_factor ${share}`, text('a model that rotates whole heads'));
  }
  const columns = Math.floor(share * partial.headWidth);
  return columns >= 2 && columns <= partial.headWidth && columns % 2 === 0
    ? { columns }
    : refuse(path, said`a rope on ${share} of heads of ${partial.headWidth}`, text('a model where that is a whole number of pairs'));
}

function scalingOf(fields: RopeFields, { maximumTokens, originalTokens, path }: RopeContext): RopeScaling {
  const type = fields.rope_type ?? fields.type ?? 'default';
  const need = (name: 'factor' | 'low_freq_factor' | 'high_freq_factor'): number =>
    fields[name] ?? refuse(path, said`rope scaling ${quoted(type)} without ${name}`, text(`a config.json that states it`));
  const trainedTokens = fields.original_max_position_embeddings ?? maximumTokens;
  const { short_factor: shortFactors, long_factor: longFactors } = fields;
  if (type === 'longrope' && originalTokens !== undefined && shortFactors !== undefined && longFactors !== undefined) {
    const { factor: scale = maximumTokens / originalTokens, attention_factor: given } = fields;
    const attentionFactor = given ?? longropeAttentionFactor(scale, originalTokens);
    return { type, trainedTokens: originalTokens, shortFactors, longFactors, attentionFactor };
  }
  if (shortFactors !== undefined || longFactors !== undefined) {
    refuse(path, said`rope scaling ${quoted(type)} with lists of factors`, text('a Phi-3, or a model without them'));
  }
  switch (type) {
    case 'default':
      return { type: 'none' };
    case 'linear':
      return { type, factor: need('factor') };
    case 'dynamic':
      // transformers' `_compute_dynamic_ntk_parameters` reads `max_position_embeddings`, whatever the original length is.
      return { type, factor: need('factor'), trainedTokens: maximumTokens };
    case 'llama3':
      return { type, factor: need('factor'), ...llama3Band(need('low_freq_factor'), need('high_freq_factor'), path), trainedTokens };
    case 'yarn':
      return {
        type,
        factor: need('factor'),
        trainedTokens,
        fastTurns: fields.beta_fast ?? 32,
        slowTurns: fields.beta_slow ?? 1,
        attentionFactor: fields.attention_factor ?? attentionFactorOf(fields, need('factor')),
        truncate: fields.truncate,
      };
    default:
      return refuse(path, said`rope scaling ${quoted(type)}`, text('a model with one of default, linear, dynamic, llama3, yarn'));
  }
}

/** The band between slow and fast frequencies; if it had no width, blending would divide by zero. */
function llama3Band(
  lowFrequencyFactor: number,
  highFrequencyFactor: number,
  path: string,
): Record<'lowFrequencyFactor' | 'highFrequencyFactor', number> {
  if (lowFrequencyFactor >= highFrequencyFactor) {
    refuse(
      path,
      said`low_freq_factor ${lowFrequencyFactor} beside high_freq_factor ${highFrequencyFactor}`,
      text('a model whose low_freq_factor is the smaller one'),
    );
  }
  return { lowFrequencyFactor, highFrequencyFactor };
}

function attentionFactorOf({ mscale, mscale_all_dim: mscaleAll }: RopeFields, scale: number): number {
  return mscale && mscaleAll ? yarnAttentionFactor(scale, mscale) / yarnAttentionFactor(scale, mscaleAll) : yarnAttentionFactor(scale);
}

import { z } from 'zod';
import { yarnAttentionFactor, type RopeScaling, type RotaryEmbedding } from '../rope';
import { quoted } from '../../../../core/text/printable';
import { readFields, refuse, theta, tokens } from '../../../model/architectures/fields';

/** What frequencies and sines are scaled by: beyond these, angles or sines would overflow. */
const factor = z.number().min(1e-6).max(1e6);

/** A negative one could make the scale of sines 0, or divide by it. */
const mscale = z.number().nonnegative().max(1e6);

/** Rotary parameters in any form: of transformers 4 (`rope_scaling`, with `type` in its first years) and of transformers 5 (`rope_parameters`). */
const ropeSchema = z.object({
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
  truncate: z.boolean().default(true),
});
type RopeFields = z.infer<typeof ropeSchema>;

/** What surrounds the rotary parameters in a configuration. */
export interface RopeContext {
  /** Base of the frequencies where the parameters have none. */
  readonly theta: number;
  /** `max_position_embeddings`. */
  readonly maximumTokens: number;
  readonly path: string;
}

/**
 * A rotary embedding from what `rope_scaling` or `rope_parameters` holds.
 *
 * @param json the field's value; nothing is a plain embedding
 * @throws InputError for a kind of scaling that is not supported, or one without its parameters
 */
export function rotaryFrom(json: unknown, context: RopeContext): RotaryEmbedding {
  if (json === undefined || json === null) {
    return { theta: context.theta, scaling: { type: 'none' } };
  }
  const fields = readFields(ropeSchema, json, `${context.path}: rope parameters`);
  if ((fields.partial_rotary_factor ?? 1) !== 1) {
    refuse(context.path, `partial_rotary_factor ${fields.partial_rotary_factor}`, 'a model that rotates whole heads');
  }
  return { theta: fields.rope_theta ?? context.theta, scaling: scalingOf(fields, context) };
}

function scalingOf(fields: RopeFields, { maximumTokens, path }: RopeContext): RopeScaling {
  const type = fields.rope_type ?? fields.type ?? 'default';
  const need = (name: 'factor' | 'low_freq_factor' | 'high_freq_factor'): number =>
    fields[name] ?? refuse(path, `rope scaling ${quoted(type)} without ${name}`, `a config.json that states it`);
  const trainedTokens = fields.original_max_position_embeddings ?? maximumTokens;
  switch (type) {
    case 'default':
      return { type: 'none' };
    case 'linear':
      return { type, factor: need('factor') };
    case 'dynamic':
      return { type, factor: need('factor'), trainedTokens };
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
      return refuse(path, `rope scaling ${quoted(type)}`, 'a model with one of default, linear, dynamic, llama3, yarn');
  }
}

/** The band between slow and fast frequencies; where it had no width, blending in it would divide by zero. */
function llama3Band(
  lowFrequencyFactor: number,
  highFrequencyFactor: number,
  path: string,
): Record<'lowFrequencyFactor' | 'highFrequencyFactor', number> {
  if (lowFrequencyFactor >= highFrequencyFactor) {
    refuse(
      path,
      `low_freq_factor ${lowFrequencyFactor} beside high_freq_factor ${highFrequencyFactor}`,
      'a model whose low_freq_factor is the smaller one',
    );
  }
  return { lowFrequencyFactor, highFrequencyFactor };
}

function attentionFactorOf({ mscale, mscale_all_dim: mscaleAll }: RopeFields, scale: number): number {
  return mscale && mscaleAll ? yarnAttentionFactor(scale, mscale) / yarnAttentionFactor(scale, mscaleAll) : yarnAttentionFactor(scale);
}

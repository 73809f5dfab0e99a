import type { z } from 'zod';
import { InputError, messageOf } from '../../../../core/errors';
import { said, text } from '../../../../core/l10n';
import { shown } from '../../../../core/text/printable';
import { type ConfigJson, quantisationKeys } from '../keys';
import { type AwqFields, awqFields, awqWeights } from './awq';
import { readQuantisationFields } from './fields';
import { float8Block, float8Fields, float8Weights } from './float8';
import { type GptqFields, gptqFields, gptqWeights } from './gptq';
import { type MlxFields, mlxFields, mlxWeights } from './mlx-affine';
import { mxfp4Fields, mxfp4Weights } from './mxfp4';
import { unreadFormat } from './unread-formats';
import type { PackedWeights, StoredTensors } from './stored-tensors';

/** How a checkpoint's weights are quantised; plain data. */
export type Quantisation =
  | { readonly kind: 'fp8'; readonly block?: readonly [number, number] }
  | { readonly kind: 'mxfp4' }
  | { readonly kind: 'mlx'; readonly fields: MlxFields }
  | { readonly kind: 'gptq'; readonly fields: GptqFields }
  | { readonly kind: 'awq'; readonly fields: AwqFields };

/** What a configuration says of quantised weights. */
export interface StatedQuantisation {
  /** The format in words, such as `GPTQ 4-bit`. */
  readonly format: string;
  /** Undefined if it is not read. */
  readonly quantisation: Quantisation | undefined;
  /** What plans and reports say of it, a sentence each. */
  readonly notes: readonly string[];
  /** Why there is no run, a clause each. */
  readonly lacks: readonly string[];
}

/**
 * Reads what `config.json` says of quantised weights; undefined if nothing. It never stops a plan, which needs shapes only.
 */
export function readQuantisation(json: ConfigJson): StatedQuantisation | undefined {
  const stated = quantisationKeys.filter((key) => json[key] !== undefined && json[key] !== null);
  if (stated.length === 0) {
    return undefined;
  }
  const [key] = stated;
  const unread = (format: string, what: string): StatedQuantisation => ({
    format,
    quantisation: undefined,
    notes: [],
    lacks: [said`${key}: ${what}; use the model's own checkpoint, in F32, F16 or BF16`],
  });
  // MLX writes the same under two keys.
  if (new Set(stated.map((one) => JSON.stringify(json[one]))).size > 1) {
    return unread('quantised', said`${stated.join(' and ')} say different things of how weights are stored`);
  }
  const config = json[key];
  if (typeof config !== 'object' || config === null || Array.isArray(config)) {
    return unread('quantised', text('it does not say how weights are stored'));
  }
  const name = unreadFormat(config as ConfigJson);
  if (name !== undefined) {
    return unread(name, said`weights are stored as ${name}, which is not read`);
  }
  const { format, quantisation } = ofFormat(config as ConfigJson);
  try {
    const read = quantisation();
    return { format, quantisation: read, notes: [storedNote(format, read)], lacks: [] };
  } catch (error) {
    if (!(error instanceof InputError)) {
      throw error;
    }
    const { quant_method: method } = config as ConfigJson;
    return unread(format, said`${method === 'compressed-tensors' ? method : format} with ${messageOf(error)} is not read`);
  }
}

/** The format that a configuration names, and its reader. */
function ofFormat(config: ConfigJson): { readonly format: string; readonly quantisation: () => Quantisation } {
  const read = <T>(schema: z.ZodType<T>): T => readQuantisationFields(schema, config);
  const bits = typeof config.bits === 'number' ? ` ${shown(String(config.bits))}-bit` : '';
  switch (config.quant_method ?? 'mlx') {
    case 'gptq':
      return { format: `GPTQ${bits}`, quantisation: () => ({ kind: 'gptq', fields: read(gptqFields) }) };
    case 'awq':
      return { format: `AWQ${bits}`, quantisation: () => ({ kind: 'awq', fields: read(awqFields) }) };
    case 'mxfp4':
      return { format: 'MXFP4', quantisation: () => ({ kind: read(mxfp4Fields).quant_method }) };
    case 'mlx':
      return { format: `MLX${bits}`, quantisation: () => ({ kind: 'mlx', fields: read(mlxFields) }) };
    default:
      return {
        format: 'FP8',
        quantisation: () => {
          const block = float8Block(read(float8Fields));
          return { kind: 'fp8', ...(block && { block: [...block] as const }) };
        },
      };
  }
}

function storedNote(format: string, { kind }: Quantisation): string {
  return kind === 'fp8'
    ? said`Weights are stored as ${format} and run in float32, and so are activations, keys and values, whatever scales the checkpoint has for them.`
    : said`Weights are stored as ${format} and run in float32.`;
}

/** The quantised weights of a checkpoint. @throws InputError if a part is missing, or of another type or shape */
export function packedWeights(files: StoredTensors, quantisation: Quantisation): PackedWeights {
  switch (quantisation.kind) {
    case 'fp8':
      return float8Weights(files, quantisation.block);
    case 'mxfp4':
      return mxfp4Weights(files);
    case 'mlx':
      return mlxWeights(files, quantisation.fields);
    case 'gptq':
      return gptqWeights(files, quantisation.fields);
    case 'awq':
      return awqWeights(files, quantisation.fields);
  }
}

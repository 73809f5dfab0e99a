import { said, text } from '../../../../core/l10n';
import { quoted } from '../../../../core/text/printable';
import { longropeAttentionFactor, yarnAttentionFactor } from '../rope';
import type { ConfigJson } from '../keys';
import { type MetadataReader, shortest } from './metadata-reader';

/** Tensors with a factor for each column that rotates, by name: what the column's frequency is divided by. */
export type RopeFactors = ReadonlyMap<string, Float32Array>;

/** What a rope's metadata and tensors are in `config.json`, and what a run would lack. */
export interface RopeConfig {
  readonly config: ConfigJson;
  readonly lacks: readonly string[];
}

const lacking = (clause: string): RopeConfig => ({ config: {}, lacks: [clause] });

/**
 * The rope of a GGUF file as `rope_scaling` states it, as llama.cpp rotates: a scaling and factors of columns both divide, and a
 * factor of sines counts with any of them. Of what `rope_scaling` cannot say together, the run lacks the part that is named.
 *
 * @param theta base of the frequencies
 */
export function ropeScaling(keys: MetadataReader, theta: number, factors: RopeFactors): RopeConfig {
  const freqs = factors.get('rope_freqs.weight');
  const [long, short] = [factors.get('rope_factors_long.weight'), factors.get('rope_factors_short.weight')];
  // Files without a type are of before there were others than linear. Ollama's gpt-oss has none either, and YaRN.
  const rope_type = keys.text('rope.scaling.type') ?? (keys.architecture === 'gptoss' ? 'yarn' : 'linear');
  // As in llama.cpp 0 is no factor.
  const stated = (keys.real('rope.scaling.factor') ?? keys.real('rope.scale_linear')) || 1;
  const factor = rope_type === 'none' ? 1 : stated;
  const original = keys.maybe('rope.scaling.original_context_length');
  const length = original === undefined ? {} : { original_max_position_embeddings: original };
  const attention = keys.real('rope.scaling.attn_factor') ?? 1;
  const scalesSines = Math.abs(attention - 1) > 1e-6;
  const turns = { beta_fast: keys.real('rope.scaling.yarn_beta_fast'), beta_slow: keys.real('rope.scaling.yarn_beta_slow') };
  const hasLists = long !== undefined && short !== undefined;
  if ((long === undefined) !== (short === undefined)) {
    return lacking(text('its rope has factors for short prompts or for long ones, and not for both'));
  }
  if (!['yarn', 'linear', 'none'].includes(rope_type) && !(hasLists && rope_type === 'longrope')) {
    return lacking(said`rope.scaling.type ${quoted(rope_type)} without its factors is not read`);
  }
  if (factor < 0) {
    return lacking(said`rope.scaling.factor ${factor} is not read`);
  }
  const isDivided = freqs?.some((each) => each !== 1) === true;
  if (factor !== 1 && (hasLists || isDivided)) {
    return lacking(said`rope.scaling.factor ${factor} beside ${isDivided ? 'rope_freqs.weight' : 'rope_factors_long.weight'} is not read`);
  }
  if (hasLists) {
    if (isDivided) {
      return lacking(text('rope_freqs.weight beside rope_factors_long.weight is not read'));
    }
    const context = keys.need('context_length');
    const trained = original ?? context;
    const usual = longropeAttentionFactor(context / trained, trained);
    const lists = { long_factor: Array.from(long, shortest), short_factor: Array.from(short, shortest) };
    // What transformers computes from the lengths is in the file as float32.
    const sines = Math.abs(attention / usual - 1) < 1e-6 ? {} : { attention_factor: attention };
    const originals = { original_max_position_embeddings: trained };
    return { config: { rope_scaling: { rope_type: 'longrope', ...lists, ...originals, ...sines }, ...originals }, lacks: [] };
  }
  if (scalesSines && (rope_type !== 'yarn' || isDivided)) {
    return lacking(said`rope.scaling.attn_factor ${attention} ${isDivided ? 'beside rope_freqs.weight' : 'without YaRN'} is not read`);
  }
  if (freqs !== undefined && isDivided) {
    const rope_scaling = llama3Scaling(freqs, theta);
    return rope_scaling === undefined
      ? lacking(text('rope_freqs.weight divides the frequencies of its rope in a way that is not known'))
      : { config: { rope_scaling }, lacks: [] };
  }
  if (factor === 1 && !scalesSines) {
    return { config: {}, lacks: [] };
  }
  const yarn: ConfigJson = {
    ...Object.fromEntries(Object.entries(turns).filter(([, value]) => value !== undefined)),
    // llama.cpp multiplies what the file says by YaRN's default.
    ...(scalesSines && { attention_factor: attention * yarnAttentionFactor(factor) }),
  };
  return { config: { rope_scaling: { rope_type, factor, ...length, ...(rope_type === 'yarn' && yarn) } }, lacks: [] };
}

/** How far a factor may be from the one that it should be, as a share of it: it was rounded to float32. */
const tolerance = 1e-5;

/**
 * Llama 3.1's scaling of which the file has the result: what the frequency of each column is divided by.
 *
 * Columns depend on the original length over the difference of the band's ends, and on the lower end over it: of all bands that
 * give the same factors, that of published models is taken (1 to 4), or else one that begins at 1.
 *
 * @returns undefined if no scaling of this kind gives these factors
 */
export function llama3Scaling(divisors: Float32Array, theta: number): ConfigJson | undefined {
  const factor = Number(divisors.reduce((most, each) => Math.max(most, each), 0).toPrecision(6));
  const turnsPerToken = Array.from(divisors, (_, column) => theta ** (-column / divisors.length) / (2 * Math.PI));
  const gives = ([low, high, length]: readonly [number, number, number]): boolean =>
    divisors.every((divisor, column) => {
      const kept = Math.min(1, Math.max(0, (length * turnsPerToken[column] - low) / (high - low)));
      return Math.abs(divisor * (kept + (1 - kept) / factor) - 1) < tolerance;
    });
  const published = Array.from({ length: 20 }, (_, power) => [1, 4, 2 ** (power + 3)] as const);
  const band = [...published, ...fittedBand(divisors, turnsPerToken, factor)].find(gives);
  if (band === undefined) {
    return undefined;
  }
  const [low, high, length] = band;
  return { rope_type: 'llama3', factor, low_freq_factor: low, high_freq_factor: high, original_max_position_embeddings: length };
}

/** The band through two columns within it, if there are two: the share that is kept of a frequency grows evenly with its turns. */
function fittedBand(
  divisors: Float32Array,
  turnsPerToken: readonly number[],
  factor: number,
): readonly (readonly [low: number, high: number, length: number])[] {
  const columns = Array.from(divisors, (divisor, column) => ({
    turns: turnsPerToken[column],
    kept: (1 / divisor - 1 / factor) / (1 - 1 / factor),
  }));
  const within = columns.filter(({ kept }) => kept > 1e-3 && kept < 1 - 1e-3);
  const [one, other] = [within.at(0), within.at(-1)];
  if (one === undefined || other === undefined || one === other) {
    return [];
  }
  const slope = (one.kept - other.kept) / (one.turns - other.turns);
  const lower = slope * one.turns - one.kept;
  const width = 1 / lower;
  const length = Math.round(slope * width);
  const scale = length / (slope * width);
  return lower > 0 && length > 0 && Number.isSafeInteger(length) ? [[scale, scale * (1 + width), length]] : [];
}

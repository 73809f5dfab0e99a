import { InputError } from '../../../../core/errors';
import { said, text } from '../../../../core/l10n';
import { quoted } from '../../../../core/text/printable';
import type { ReadConfig } from '../architecture';
import { readConfig } from '../config';
import type { ConfigJson } from '../keys';
import { ggufArchitectures } from './architectures';
import { isRead, typeFix } from './decode';
import type { GgufHeader } from './header';
import { MetadataReader } from './metadata-reader';
import { besides, isRopeFactors } from './names';
import { type RopeFactors, ropeScaling } from './rope';
import { typeName } from './types';

/**
 * Reads a model from the headers of its GGUF files, as the configuration of the checkpoint that it was made from.
 *
 * Layers are judged by the readers of Hugging Face's configurations, of the model type that has the same ones.
 * @param path named in errors
 * @param factors the tensors of its rope
 * @throws InputError for an architecture or a key that is not known, and for a header that contradicts itself
 */
export function ggufConfig(header: GgufHeader, path: string, factors: RopeFactors = new Map()): ReadConfig {
  const { metadata, tensors } = header;
  const named = metadata.get('general.architecture');
  if (typeof named !== 'string') {
    throw new InputError(`${path}: general.architecture is missing; download it again.`);
  }
  if (!Object.hasOwn(ggufArchitectures, named)) {
    throw new InputError(
      `${path}: general.architecture ${quoted(named)} is not known; use a GGUF file of ${Object.keys(ggufArchitectures).join(', ')}.`,
    );
  }
  const { modelType, normsSubtractMean, rotatesPart, own, assumes } = ggufArchitectures[named];
  const keys = new MetadataReader(named, metadata, path);
  const shapes = new Map(tensors.map(({ name, shape }) => [name, shape]));
  const rows = (tensor: string): number | undefined => shapes.get(tensor)?.[1];
  const hasTensors = shapes.has('token_embd.weight');
  const theta = keys.real('rope.freq_base') ?? defaultTheta;
  const rope = ropeScaling(keys, theta, factors);
  const common: ConfigJson = {
    model_type: modelType(keys),
    ...dimensions(keys),
    vocab_size: vocabularyOf(header, rows('token_embd.weight'), keys),
    tie_word_embeddings: hasTensors && !shapes.has('output.weight'),
    ...epsilons(keys, normsSubtractMean === true),
    rope_theta: theta,
    ...keys.window(),
    ...rope.config,
  };
  const rotated = keys.maybe('rope.dimension_count') ?? Number(common.head_dim);
  const config = { ...common, ...own?.(keys, { common, rotated, rows, has: (tensor) => shapes.has(tensor) }) };
  const { notes, lacks: unread } = keys.judge();
  const general = metadata.get('general.name');
  const assumed = assumes?.(keys, typeof general === 'string' ? general : '');
  const read = readConfig(Object.fromEntries(Object.entries(config).filter(([, value]) => value !== undefined && value !== null)), path);
  const parameters = tensors.reduce((sum, { name, elements }) => sum + (besides.test(name) ? 0 : elements), 0);
  const shape = { ...read.shape, ...(hasTensors && { parameters }) };
  const unreadFactors = tensors.filter(({ name }) => isRopeFactors(name) && !factors.has(name));
  const isPartial = rotated !== common.head_dim && !rotatesPart;
  const partial = isPartial ? [said`a rope on ${rotated} columns of heads of ${String(common.head_dim)} is not known of ${named}`] : [];
  const lacks = [
    ...unread,
    ...partial,
    ...unreadFactors.map(({ name }) => `${name} is not read`),
    ...rope.lacks,
    ...typeLacks(tensors),
    ...read.lacks,
  ];
  return {
    ...read,
    shape,
    notes: [...(assumed === undefined ? [] : [assumed]), ...notes, ...read.notes],
    lacks,
    run: lacks.length === 0 && read.run !== undefined ? { ...read.run, shape } : undefined,
  };
}

/** How many layers and heads there are, and how wide they are. */
function dimensions(keys: MetadataReader): ConfigJson {
  const heads = keys.need('attention.head_count');
  const d = keys.need('embedding_length');
  const headWidth = keys.maybe('attention.key_length') ?? d / heads;
  const valueWidth = keys.maybe('attention.value_length') ?? d / heads;
  return {
    num_hidden_layers: keys.need('block_count'),
    hidden_size: d,
    num_attention_heads: heads,
    num_key_value_heads: keys.maybe('attention.head_count_kv') ?? heads,
    head_dim: headWidth,
    ...(valueWidth !== headWidth && { v_head_dim: valueWidth }),
    intermediate_size: keys.maybe('feed_forward_length') ?? keys.need('expert_feed_forward_length'),
    max_position_embeddings: keys.need('context_length'),
  };
}

/** Base of a rope's frequencies where a file has none, of every architecture. */
const defaultTheta = 10_000;

/** What norms add to a variance or a square: as in llama.cpp the file has the one, and the other does not count. */
function epsilons(keys: MetadataReader, subtractMean: boolean): ConfigJson {
  const [mean, square] = ['attention.layer_norm_epsilon', 'attention.layer_norm_rms_epsilon'];
  keys.maybe(subtractMean ? square : mean);
  return subtractMean ? { layer_norm_eps: keys.needReal(mean) } : { rms_norm_eps: keys.needReal(square) };
}

/** Tokens of the vocabulary: those that are listed; the embedding has a row for each. */
function vocabularyOf({ metadata }: GgufHeader, rows: number | undefined, keys: MetadataReader): number {
  const listed = metadata.get('tokenizer.ggml.tokens');
  const count = typeof listed === 'object' ? listed.length : keys.maybe('vocab_size');
  if (count !== undefined && rows !== undefined && count !== rows) {
    keys.stop('tokenizer.ggml.tokens', said`lists ${count} tokens and token_embd.weight has ${rows} rows`);
  }
  return count ?? rows ?? keys.stop('tokenizer.ggml.tokens', text('is missing'));
}

/** Which types of its tensors a run would lack. */
function typeLacks(tensors: GgufHeader['tensors']): readonly string[] {
  const unread = new Set(tensors.filter(({ name, type }) => !besides.test(name) && !isRead(type)).map(({ type }) => typeName(type)));
  return unread.size === 0 ? [] : [said`its weights are in ${[...unread].join(', ')}, which cannot be run; ${typeFix}`];
}

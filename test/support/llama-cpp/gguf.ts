import type { LoadedModel } from '../../../src/engine/read/model/load';
import { count, flag, real, text, writeGgufFile, type Metadata } from './gguf-file';
import { rotaryMetadata } from './rotary';
import { ggufTensors } from './tensors';
import { placeholderVocabulary } from './vocabulary';

/** llama.cpp's names of architectures by the `model_type` of a checkpoint. */
export const llamaArchitectures: Readonly<Record<string, string>> = {
  llama: 'llama',
  mistral: 'llama',
  qwen2: 'qwen2',
  qwen3: 'qwen3',
  smollm3: 'smollm3',
  granite: 'granite',
  olmo2: 'olmo2',
  gpt2: 'gpt2',
  gpt_neox: 'gptneox',
  mixtral: 'llama',
  qwen3_moe: 'qwen3moe',
  gpt_oss: 'gpt-oss',
  bloom: 'bloom',
  mpt: 'mpt',
};

/**
 * Writes a decoder as a GGUF file for llama.cpp, float32, with a vocabulary of placeholders. Sliding windows are not in it:
 * llama.cpp has none for these architectures.
 *
 * @param contextLength tokens that the file says the model was trained for; where positions are learned, as many as there are
 */
export async function writeGguf(path: string, model: LoadedModel, contextLength: number): Promise<void> {
  const architecture = llamaArchitectures[model.modelType];
  const own = Object.entries(hyperparameters(model, contextLength)).map(([key, value]) => [`${architecture}.${key}`, value]);
  const metadata: Metadata = {
    'general.architecture': text(architecture),
    'general.name': text(model.name),
    ...(Object.fromEntries(own) as Metadata),
    ...placeholderVocabulary(model.shape.vocabulary),
  };
  await writeGgufFile(path, metadata, ggufTensors(model, architecture));
}

function hyperparameters(model: LoadedModel, contextLength: number): Metadata {
  const { modelType, shape, norm, rotary, embedding, multipliers, parallelHalves, alibi } = model;
  const headWidth = shape.headWidth - (alibi === undefined ? 0 : 1);
  return {
    block_count: count(shape.layers),
    context_length: count(embedding.positions?.shape[0] ?? contextLength),
    embedding_length: count(shape.width),
    feed_forward_length: count(expertWidth(model) ?? shape.feedForwardWidth),
    vocab_size: count(shape.vocabulary),
    'attention.head_count': count(shape.heads),
    'attention.head_count_kv': count(shape.keyValueHeads),
    'attention.key_length': count(headWidth),
    'attention.value_length': count(headWidth),
    // BLOOM's is fixed there. Of heads that are a power of two the last slope is the least.
    ...(alibi !== undefined && { 'attention.max_alibi_bias': real(-Math.log2(alibi.slopes[shape.heads - 1])) }),
    [norm.kind === 'rms' ? 'attention.layer_norm_rms_epsilon' : 'attention.layer_norm_epsilon']: real(norm.epsilon),
    ...(rotary?.[0] !== undefined && rotaryMetadata(rotary[0], shape.headWidth)),
    ...(modelType === 'gpt_neox' && { use_parallel_residual: flag(parallelHalves === true) }),
    ...expertMetadata(model),
    ...(modelType === 'gpt_oss' && { 'attention.sliding_window': count(slidingWindow(model)) }),
    ...(multipliers !== undefined && {
      embedding_scale: real(multipliers.embedding),
      'attention.scale': real(multipliers.scores),
      residual_scale: real(multipliers.residual),
      logit_scale: real(1 / multipliers.logits),
    }),
  };
}

/** Why llama.cpp cannot choose experts as a model does; undefined where it can. */
export function expertRefusal({ experts, layers }: LoadedModel): string | undefined {
  if (experts?.weights === 'of-all') {
    return 'llama.cpp has weights of experts that sum to 1, and no others';
  }
  const routed = layers.filter(({ outputAndMlp }) => outputAndMlp.routerWeight !== undefined).length;
  return routed === 0 || routed === layers.length ? undefined : 'llama.cpp has experts in all layers, or in none';
}

/** Inner width of an expert of the first layer. */
function expertWidth({ layers: [{ outputAndMlp }] }: LoadedModel): number | undefined {
  return outputAndMlp['experts.0.upWeight']?.shape[0];
}

function expertMetadata(model: LoadedModel): Metadata {
  const { experts, layers } = model;
  const { routerWeight } = layers[0].outputAndMlp;
  const width = expertWidth(model);
  return experts === undefined || routerWeight === undefined || width === undefined
    ? {}
    : { expert_count: count(routerWeight.shape[0]), expert_used_count: count(experts.chosen), expert_feed_forward_length: count(width) };
}

/** The window of the layers that have one. */
function slidingWindow({ shape: { attention } }: LoadedModel): number {
  const windows =
    attention?.kind === 'per-layer' ? attention.cycle.map((layer) => (layer.kind === 'sliding-window' ? layer.window : 0)) : [0];
  return Math.max(...windows);
}

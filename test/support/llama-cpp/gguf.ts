import type { Scenario } from '../../../src/core/scenario/scenario';
import type { LoadedModel } from '../../../src/engine/read/model/load';
import { count, flag, real, text, writeGgufFile, type Metadata, type Tensor } from './gguf-file';
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
  olmo3: 'olmo2',
  phi3: 'phi3',
  cohere2: 'cohere2',
  gemma2: 'gemma2',
  gemma3_text: 'gemma3',
  gpt2: 'gpt2',
  gpt_neox: 'gptneox',
  mixtral: 'llama',
  qwen3_moe: 'qwen3moe',
  gpt_oss: 'gpt-oss',
  bloom: 'bloom',
  mpt: 'mpt',
};

/** Model types whose windows llama.cpp has; which layers have one, it knows by itself. */
const windowed: ReadonlySet<string> = new Set(['gemma2', 'gemma3_text', 'olmo3', 'cohere2', 'gpt_oss']);

/** Whether llama.cpp has the windows of a model type. */
export function hasWindows(modelType: string): boolean {
  return windowed.has(modelType);
}

/** The window of the layers that have one. */
function windowIn(attention: Scenario | undefined): number {
  const local = attention?.kind === 'per-layer' ? attention.cycle.find(({ kind }) => kind === 'sliding-window') : undefined;
  if (local?.kind !== 'sliding-window') {
    throw new Error('A model of an architecture with windows has none.');
  }
  return local.window;
}

/** The first layer without a window. */
function globalLayer(attention: Scenario | undefined): number {
  return attention?.kind === 'per-layer' ? attention.cycle.findIndex(({ kind }) => kind !== 'sliding-window') : 0;
}

/**
 * Writes a decoder as a GGUF file for llama.cpp, float32, with a vocabulary of placeholders. Sliding windows are in it where
 * llama.cpp has them for the architecture.
 *
 * @param contextLength tokens that the file says the model was trained for; where positions are learned, as many as there are
 * @param encoded how a tensor is stored; in float32 by default
 * @param vocabulary of its tokenizer
 * @param changed what the file says, from what it would say of the model
 */
export async function writeGguf(
  path: string,
  model: LoadedModel,
  contextLength: number,
  encoded = (tensor: Tensor): Tensor => tensor,
  vocabulary: Metadata = placeholderVocabulary(model.shape.vocabulary),
  changed = (metadata: Metadata): Metadata => metadata,
): Promise<void> {
  const architecture = llamaArchitectures[model.modelType];
  const own = Object.entries(hyperparameters(model, contextLength)).map(([key, value]) => [`${architecture}.${key}`, value]);
  const metadata: Metadata = {
    'general.architecture': text(architecture),
    // llama.cpp looks for tokens of its own in a model whose name has phi3 in it.
    'general.name': text('tiny'),
    ...(Object.fromEntries(own) as Metadata),
    ...vocabulary,
  };
  await writeGgufFile(path, changed(metadata), ggufTensors(model, architecture).map(encoded));
}

function hyperparameters(model: LoadedModel, contextLength: number): Metadata {
  const { modelType, shape, norm, rotary, embedding, multipliers, parallelHalves, logitCap, alibi } = model;
  const headWidth = shape.headWidth - (alibi === undefined ? 0 : 1);
  // Of an architecture with windows, layers with one may have a rope of their own, which llama.cpp knows by itself.
  const globalRotary = hasWindows(modelType) ? (rotary?.[globalLayer(shape.attention)] ?? rotary?.[0]) : rotary?.[0];
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
    ...(globalRotary !== undefined && rotaryMetadata(globalRotary, shape.headWidth)),
    ...(hasWindows(modelType) && { 'attention.sliding_window': count(windowIn(shape.attention)) }),
    ...(shape.scoreCap !== undefined && { attn_logit_softcapping: real(shape.scoreCap) }),
    ...(logitCap !== undefined && { final_logit_softcapping: real(logitCap) }),
    ...(modelType === 'gpt_neox' && { use_parallel_residual: flag(parallelHalves === true) }),
    ...expertMetadata(model),
    ...(modelType === 'cohere2' && multipliers && { logit_scale: real(multipliers.logits) }),
    ...(modelType === 'granite' &&
      multipliers && {
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

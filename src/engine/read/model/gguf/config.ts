import { InputError } from '../../../../core/errors';
import { quoted, shown } from '../../../../core/text/printable';
import type { ReadConfig } from '../architecture';
import { readConfig } from '../config';
import { type ConfigJson, isStructural } from '../keys';
import type { GgufHeader, MetadataValue } from './header';

/** What a run of any GGUF file lacks. */
const lack = 'GGUF cannot be run yet; use the safetensors files of the same model';

/** How llama.cpp's metadata of an architecture is read as Hugging Face's configuration: what is peculiar to it. */
interface GgufArchitecture {
  /** The `model_type` that has the same layers. */
  readonly modelType: (keys: MetadataReader) => string;
  /** Fields besides those that all have. */
  readonly own?: (keys: MetadataReader) => ConfigJson;
}

const windowed = (keys: MetadataReader): ConfigJson => ({ sliding_window: keys.need('attention.sliding_window') });

const gptOss: GgufArchitecture = {
  modelType: () => 'gpt_oss',
  own: (keys) => ({
    ...windowed(keys),
    num_local_experts: keys.need('expert_count'),
    num_experts_per_tok: keys.need('expert_used_count'),
    intermediate_size: keys.maybe('expert_feed_forward_length') ?? keys.need('feed_forward_length'),
  }),
};

/** By `general.architecture`. */
const architectures: Readonly<Record<string, GgufArchitecture>> = {
  // Also what Mistral and Mixtral are converted to.
  llama: {
    modelType: (keys) => (keys.above0('expert_count') ? 'mixtral' : keys.above0('attention.sliding_window') ? 'mistral' : 'llama'),
    own: (keys) => ({
      ...(keys.above0('attention.sliding_window') && windowed(keys)),
      ...(keys.above0('expert_count') && {
        num_local_experts: keys.need('expert_count'),
        num_experts_per_tok: keys.need('expert_used_count'),
      }),
    }),
  },
  qwen2: { modelType: () => 'qwen2' },
  qwen3: { modelType: () => 'qwen3' },
  qwen3moe: {
    modelType: () => 'qwen3_moe',
    own: (keys) => ({
      num_experts: keys.need('expert_count'),
      num_experts_per_tok: keys.need('expert_used_count'),
      moe_intermediate_size: keys.need('expert_feed_forward_length'),
      // llama.cpp knows no other weights of experts than those that sum to 1.
      norm_topk_prob: true,
    }),
  },
  gemma2: { modelType: () => 'gemma2', own: windowed },
  gemma3: { modelType: () => 'gemma3_text', own: windowed },
  phi3: { modelType: () => 'phi3', own: (keys) => (keys.above0('attention.sliding_window') ? windowed(keys) : {}) },
  // Its configuration has neither key: every head has keys and values of its own, of its share of the width.
  gptneox: {
    modelType: () => 'gpt_neox',
    own: (keys) => {
      const heads = keys.need('attention.head_count');
      const share = keys.need('embedding_length') / heads;
      return {
        ...((keys.maybe('attention.head_count_kv') ?? heads) === heads && { num_key_value_heads: null }),
        ...((keys.maybe('attention.key_length') ?? share) === share && { head_dim: null }),
      };
    },
  },
  'gpt-oss': gptOss,
  // The same, as Ollama converts it.
  gptoss: gptOss,
  // OLMo 3 is an OLMo 2 with windows.
  olmo2: {
    modelType: (keys) => (keys.above0('attention.sliding_window') ? 'olmo3' : 'olmo2'),
    own: (keys) => (keys.above0('attention.sliding_window') ? windowed(keys) : {}),
  },
};

/** Keys of any architecture that change no count of a plan: numbers inside a layer, ropes, and the choice of experts. */
const ignored =
  /^(rope\..+|vocab_size|attention\.(layer_norm_epsilon|layer_norm_rms_epsilon|scale|clamp_kqv|temperature_scale)|attn_logit_softcapping|final_logit_softcapping|router_logit_softcapping|expert_weights_scale|expert_weights_norm|expert_gating_func|use_parallel_residual|tensor_data_layout|swiglu_clamp_exp|swiglu_clamp_shexp)$/;

/** Keys of the part that reads images, which Ollama keeps in the same file. */
const images = /^(vision|mm)\./;

/** Tensors that are no parameters of the text model: factors of a rope, and the part that reads images. */
const besides = /^(rope_(freqs|factors_long|factors_short)\.weight$|v\.|mm\.)/;

/**
 * Reads the shape of a model from the header of its GGUF file: a plan needs no more.
 *
 * Layers are judged by the readers of Hugging Face's configurations, of the model type that has the same ones.
 * @param path named in errors
 * @throws InputError for an architecture or a key that is not known, and for a header that contradicts itself
 */
export function ggufConfig(header: GgufHeader, path: string): ReadConfig {
  const { metadata, tensors } = header;
  const named = metadata.get('general.architecture');
  if (typeof named !== 'string') {
    throw new InputError(`${path}: general.architecture is missing; download it again.`);
  }
  if (!Object.hasOwn(architectures, named)) {
    throw new InputError(
      `${path}: general.architecture ${quoted(named)} is not known; use a GGUF file of ${Object.keys(architectures).join(', ')}.`,
    );
  }
  const { modelType, own } = architectures[named];
  const keys = new MetadataReader(named, metadata, path);
  const hasOutput = tensors.some(({ name }) => name === 'output.weight');
  const hasTensors = tensors.some(({ name }) => name === 'token_embd.weight');
  const heads = keys.need('attention.head_count');
  const d = keys.need('embedding_length');
  const headWidth = keys.maybe('attention.key_length') ?? d / heads;
  const valueWidth = keys.maybe('attention.value_length') ?? d / heads;
  const config: ConfigJson = {
    model_type: modelType(keys),
    num_hidden_layers: keys.need('block_count'),
    hidden_size: d,
    num_attention_heads: heads,
    num_key_value_heads: keys.maybe('attention.head_count_kv') ?? heads,
    head_dim: headWidth,
    ...(valueWidth !== headWidth && { v_head_dim: valueWidth }),
    intermediate_size: keys.maybe('feed_forward_length') ?? keys.need('expert_feed_forward_length'),
    max_position_embeddings: keys.need('context_length'),
    vocab_size: vocabularyOf(header, keys),
    tie_word_embeddings: hasTensors && !hasOutput,
    ...keys.window(),
    ...ropeScaling(keys),
    ...own?.(keys),
  };
  const notes = keys.judge();
  const read = readConfig(config, path);
  const parameters = tensors.reduce((sum, { name, elements }) => sum + (besides.test(name) ? 0 : elements), 0);
  return {
    ...read,
    shape: { ...read.shape, ...(hasTensors && { parameters }) },
    notes: [...notes, ...read.notes],
    lacks: [lack, ...read.lacks],
    run: undefined,
  };
}

/** Tokens of the vocabulary: those that are listed; the embedding has a row for each. */
function vocabularyOf({ metadata, tensors }: GgufHeader, keys: MetadataReader): number {
  const listed = metadata.get('tokenizer.ggml.tokens');
  const rows = tensors.find(({ name }) => name === 'token_embd.weight')?.shape[1];
  const count = typeof listed === 'object' ? listed.length : keys.maybe('vocab_size');
  if (count !== undefined && rows !== undefined && count !== rows) {
    keys.stop('tokenizer.ggml.tokens', `lists ${count} tokens and token_embd.weight has ${rows} rows`);
  }
  return count ?? rows ?? keys.stop('tokenizer.ggml.tokens', 'is missing');
}

/** What the context length is after the rope's extension. Other kinds state it as it is. */
function ropeScaling(keys: MetadataReader): ConfigJson {
  const factor = keys.maybe('rope.scaling.factor') ?? keys.maybe('rope.scale_linear');
  const original = keys.maybe('rope.scaling.original_context_length');
  // Files without a type are of before there were others than linear, or Ollama's, which has an original length for YaRN.
  const rope_type = keys.text('rope.scaling.type') ?? (original === undefined ? 'linear' : 'yarn');
  if (factor === undefined || factor <= 0 || (rope_type === 'linear' && factor === 1) || !['yarn', 'linear'].includes(rope_type)) {
    return {};
  }
  return { rope_scaling: { rope_type, factor, ...(original !== undefined && { original_max_position_embeddings: original }) } };
}

/** Reads the keys of an architecture, and keeps which it has read. */
class MetadataReader {
  private readonly taken = new Set<string>();

  constructor(
    private readonly architecture: string,
    private readonly metadata: ReadonlyMap<string, MetadataValue>,
    private readonly path: string,
  ) {}

  /** A number, or the number that a list repeats for each layer; undefined where there is none. @throws InputError for any other value */
  maybe(key: string): number | undefined {
    this.taken.add(key);
    const value = this.metadata.get(`${this.architecture}.${key}`);
    const number = typeof value === 'object' && value.values?.every((each) => each === value.values?.[0]) ? value.values[0] : value;
    if (number === undefined || (typeof number === 'number' && Number.isFinite(number))) {
      return number;
    }
    return this.stop(`${this.architecture}.${key}`, typeof number === 'object' ? 'differs from layer to layer' : 'is no number');
  }

  need(key: string): number {
    return this.maybe(key) ?? this.stop(`${this.architecture}.${key}`, 'is missing');
  }

  above0(key: string): boolean {
    return (this.maybe(key) ?? 0) > 0;
  }

  text(key: string): string | undefined {
    const value = this.metadata.get(`${this.architecture}.${key}`);
    return typeof value === 'string' ? value : undefined;
  }

  /** Which layers have a window, where that is said: every p-th has none, or a list. */
  window(): ConfigJson {
    const key = 'attention.sliding_window_pattern';
    const value = this.metadata.get(`${this.architecture}.${key}`);
    if (typeof value !== 'object') {
      const pattern = this.maybe(key);
      return pattern === undefined ? {} : { sliding_window_pattern: pattern };
    }
    this.taken.add(key);
    const types = value.values?.map((slides) => (slides === true || slides === 1 ? 'sliding_attention' : 'full_attention'));
    return { layer_types: types ?? this.stop(`${this.architecture}.${key}`, 'is a list of another kind') };
  }

  /** What a user should know of keys that were not read. @throws InputError for one that may change what is planned */
  judge(): readonly string[] {
    const start = `${this.architecture}.`;
    const notes: string[] = [];
    for (const [key, value] of this.metadata) {
      const own = key.slice(start.length);
      // A number that is 0 and a switch that is off add nothing; causal attention is what is planned.
      const isNeutral = own === 'attention.causal' ? value === true : value === 0 || value === false;
      if (!key.startsWith(start) || this.taken.has(own) || isNeutral || ignored.test(own) || images.test(own)) {
        continue;
      }
      if (isStructural(own)) {
        this.stop(key, 'is not known for this architecture and may change its attention or its layers');
      }
      notes.push(`The GGUF file has ${shown(key)}, which is not known: planned as if it changed nothing.`);
    }
    const hasImages = [...this.metadata.keys()].some((key) => key.startsWith(start) && images.test(key.slice(start.length)));
    return hasImages ? ['Only text is planned: the part of the GGUF file that reads images is not.', ...notes] : notes;
  }

  /** @throws InputError that names the key */
  stop(key: string, why: string): never {
    throw new InputError(`${this.path}: ${shown(key)} ${why}; use another GGUF file of the model.`);
  }
}

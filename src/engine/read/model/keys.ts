import { InputError } from '../../../core/errors';
import { said, text } from '../../../core/l10n';
import { described, quoted, shown } from '../../../core/text/printable';

/** A configuration as it stands in its file. */
export type ConfigJson = Readonly<Record<string, unknown>>;

/** What a reader says of the keys of `config.json`: those that it reads, and those that it may ignore. */
export interface KeyRules {
  /** The keys of its schema. */
  readonly reads: readonly string[];
  /** Keys that change nothing that the lab computes, whatever their value, each with why. */
  readonly ignores?: Readonly<Record<string, string>>;
  /** Keys that change nothing at these values; at others they are unknown. */
  readonly neutral?: Readonly<Record<string, readonly unknown[]>>;
}

/** Keys that say how weights are quantised, which `readQuantisation` reads for every model type. */
export const quantisationKeys: readonly string[] = ['quantization_config', 'compression_config', 'quantization'];

/** Keys that any configuration may have, in groups with the reason why none of them changes a forward pass. */
export const sharedKeys: readonly { readonly why: string; readonly keys: readonly string[] }[] = [
  {
    why: 'checked before any reader',
    keys: ['model_type', 'architectures', 'auto_map'],
  },
  {
    why: 'says where the file is from, or how its weights are stored',
    keys: [
      ...['transformers_version', '_name_or_path', 'name_or_path', '_commit_hash', '_from_model_config', 'torch_dtype', 'dtype'],
      ...[
        'use_bfloat16',
        'torchscript',
        'tf_legacy_loss',
        'unsloth_version',
        'language',
        'name',
        'xla_device',
        'unsloth_fixed',
        'transformers.js_config',
        'license',
      ],
    ],
  },
  {
    why: 'chooses an implementation of the same attention',
    keys: [
      ...['_attn_implementation', '_attn_implementation_autoset', '_attn_implementation_internal', 'attn_implementation'],
      ...[
        '_experts_implementation',
        '_flash_attn_2_enabled',
        'use_flash_attn',
        'use_flash_attention',
        'use_flash_attention_2',
        'deterministic_flash_attn',
      ],
      ...[
        'reference_compile',
        'cache_implementation',
        'repad_logits_with_grad',
        'reorder_and_upcast_attn',
        'pretraining_tp',
        'ep_size',
        'chunk_size_feed_forward',
      ],
      ...['use_cache', 'num_logits_to_keep', 'use_mamba_kernels', 'mamba_ssm_cache_dtype', 'mamba_ssm_dtype'],
    ],
  },
  {
    why: 'names special tokens, which the tokenizer has',
    keys: [
      ...['bos_token_id', 'eos_token_id', 'pad_token_id', 'sep_token_id', 'cls_token_id', 'unk_token_id', 'decoder_start_token_id'],
      ...['forced_bos_token_id', 'forced_eos_token_id', 'bad_words_ids', 'begin_suppress_tokens', 'suppress_tokens', 'prefix'],
      ...[
        'tokenizer_class',
        'tokenizer_name',
        'model_max_length',
        'tokenizer_model_max_length',
        'n_special',
        'predict_special_tokens',
        'keys_to_ignore_at_inference',
      ],
    ],
  },
  {
    why: 'acts in training only: initial values, dropout, losses',
    keys: [
      ...['initializer_range', 'initializer_cutoff_factor', 'attention_dropout', 'attn_pdrop', 'embd_pdrop', 'resid_pdrop'],
      ...['hidden_dropout', 'hidden_dropout_prob', 'attention_probs_dropout_prob', 'classifier_dropout', 'classifier_dropout_prob'],
      ...[
        'embedding_dropout',
        'mlp_dropout',
        'residual_dropout',
        'resid_dropout',
        'embed_dropout',
        'ffn_dropout',
        'router_aux_loss_coef',
        'aux_loss_alpha',
      ],
      ...['seq_aux', 'output_router_logits', 'router_jitter_noise', 'router_z_loss_coef', 'ignore_index', 'gradient_checkpointing'],
      ...['sparse_prediction', 'sparse_pred_ignore_index', 'rescale_prenorm_residual'],
    ],
  },
  {
    why: 'a default of generation, which chooses tokens from logits',
    keys: [
      ...['do_sample', 'temperature', 'top_k', 'top_p', 'typical_p', 'num_beams', 'num_beam_groups', 'max_length', 'min_length'],
      ...['max_new_tokens', 'length_penalty', 'repetition_penalty', 'no_repeat_ngram_size', 'encoder_no_repeat_ngram_size'],
      ...['early_stopping', 'diversity_penalty', 'num_return_sequences', 'exponential_decay_length_penalty', 'remove_invalid_values'],
    ],
  },
  {
    why: 'is about outputs and tasks on top of the model',
    keys: [
      ...['output_attentions', 'output_hidden_states', 'output_scores', 'return_dict', 'return_dict_in_generate', 'id2label', 'label2id'],
      ...[
        'num_labels',
        '_num_labels',
        'output_past',
        'problem_type',
        'finetuning_task',
        'task_specific_params',
        'classifier_pooling',
        'sentence_transformers',
      ],
      ...['summary_type', 'summary_use_proj', 'summary_activation', 'summary_proj_to_labels', 'summary_first_dropout'],
    ],
  },
];

/** Keys that any configuration may have at these values, which are those of an ordinary model. */
const sharedNeutral: Readonly<Record<string, readonly unknown[]>> = {
  is_encoder_decoder: [false],
  tie_encoder_decoder: [false],
  add_cross_attention: [false],
  pruned_heads: [{}],
  is_bidirectional: [false],
  bidirectional: [false],
  use_bidirectional_attention: [false],
  use_sliding_window: [false],
  alibi: [false],
  multi_query: [false],
  use_mrope: [false],
  rope_interleaved: [false],
  partial_rotary_factor: [1],
};

const harmless: ReadonlySet<string> = new Set(sharedKeys.flatMap(({ keys }) => keys));

/** Keys of a configuration with which a plan is right and a run would not be, each with what a run would lack. */
const planOnlyKeys: Readonly<Record<string, (value: unknown) => string>> = {
  dual_chunk_attention_config: () => text('dual_chunk_attention_config moves the positions of distant keys'),
};

/** What was found in a configuration besides what its reader reads. */
export interface KeyFindings {
  /** What a user should know of the plan, a sentence each. */
  readonly notes: readonly string[];
  /** What a run would lack although the plan is right, a clause each. */
  readonly planOnly: readonly string[];
  /** Keys that are not known, each as a clause of why there is no run. */
  readonly unknown: readonly string[];
}

/**
 * Words of keys that may change which keys a query sees, where its position is, or what a layer is made of: if such a key is
 * not known, a plan could be wrong.
 */
const structural =
  /att|causal|direction|window|chunk|mask|sink|alibi|spars|diffus|layer|head|block|stride|dilat|local|global|expert|moe|mamba|ssm|recurr|linear|compress|index|kv|key|quer|rope|rotary|position|context|memory|lora|hybrid|pattern|interval|period|skip|exit|route|depth|multi|decoder|encoder|mixer|conv/i;

/** Whether a key that is not known may change what is planned, by its name. */
export function isStructural(key: string): boolean {
  return structural.test(key);
}

/**
 * Goes through every key of a configuration that its reader does not read.
 *
 * @param json the part of the configuration that describes the model
 * @throws InputError that names a key which is not known and may change what is planned
 */
export function judgeKeys(json: ConfigJson, rules: KeyRules, path: string): KeyFindings {
  const reads = new Set([...rules.reads, ...quantisationKeys]);
  const notes: string[] = [];
  const planOnly: string[] = [];
  const unknown: string[] = [];
  for (const [key, value] of Object.entries(json)) {
    // In transformers, null is "not set".
    if (value === null || reads.has(key)) {
      continue;
    }
    const lack = Object.hasOwn(planOnlyKeys, key) ? planOnlyKeys[key](value) : undefined;
    if (lack !== undefined) {
      planOnly.push(lack);
    } else if (!isNeutral(key, value, rules)) {
      if (isStructural(key)) {
        throw new InputError(
          `${path}: ${shown(key)} ${described(value)} is not known for this model_type and may change its attention or its layers; use a model without it, or remove the key if it changes nothing.`,
        );
      }
      notes.push(said`config.json has ${shown(key)} ${described(value)}, which is not known: planned as if it changed nothing.`);
      unknown.push(said`${shown(key)} ${described(value)} is not known; remove the key from config.json if it changes nothing`);
    }
  }
  return { notes, planOnly, unknown };
}

function isNeutral(key: string, value: unknown, { ignores = {}, neutral = {} }: KeyRules): boolean {
  // That every layer has full attention says nothing new of a model whose layers are not listed.
  const allFull = key === 'layer_types' && Array.isArray(value) && value.every((type) => type === 'full_attention');
  if (allFull || harmless.has(key) || Object.hasOwn(ignores, key)) {
    return true;
  }
  const values = [neutral, sharedNeutral].flatMap((table) => (Object.hasOwn(table, key) ? table[key] : []));
  return values.some((known) => known === value || (isEmpty(known) && isEmpty(value) && Array.isArray(known) === Array.isArray(value)));
}

/** Whether a value is a list or an object without content. */
function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}

/**
 * The class that `architectures` names; undefined if it names none.
 *
 * @param known classes of the model type
 * @throws InputError for a class that is not one of them, since that may compute anything
 */
export function classOf({ architectures }: ConfigJson, known: readonly string[], path: string): string | undefined {
  if (architectures === undefined || architectures === null) {
    return undefined;
  }
  const names: unknown[] = Array.isArray(architectures) ? architectures : [architectures];
  for (const name of names) {
    if (typeof name !== 'string' || !known.includes(name)) {
      throw new InputError(
        `${path}: architectures ${described(name)} is not known for this model_type; use a model of one of ${known.slice(0, 8).join(', ')}${known.length > 8 ? ', ...' : ''}.`,
      );
    }
  }
  return names[0] as string | undefined;
}

/**
 * Refuses a model that brings code of its own for what transformers has code for: nobody can say what it computes.
 *
 * @param published modules with which models of this type were published before transformers had them
 * @throws InputError that names the code
 */
export function checkOwnCode({ auto_map: map }: ConfigJson, path: string, published: readonly string[] = []): void {
  if (typeof map !== 'object' || map === null) {
    return;
  }
  for (const [role, given] of Object.entries(map)) {
    const names: unknown[] = Array.isArray(given) ? given : [given];
    // A tokenizer or a processor of its own is none of the model's.
    if (/^Auto(Tokenizer|Processor|ImageProcessor|VideoProcessor|FeatureExtractor)$/.test(role)) {
      continue;
    }
    const own = names.find((name) => typeof name !== 'string' || !published.includes(name.split('.')[0]));
    if (own !== undefined) {
      throw new InputError(
        `${path}: auto_map ${shown(role)} ${typeof own === 'string' ? quoted(own) : described(own)} is code of the model's own, which may attend in another way; use a model without it, or remove auto_map if transformers' own class computes the same.`,
      );
    }
  }
}

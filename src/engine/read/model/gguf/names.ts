/**
 * What the conversion to GGUF did to a tensor's numbers: each is undone. Names and changes are those of llama.cpp's
 * convert_hf_to_gguf.py and gguf-py/gguf/tensor_mapping.py.
 */
export interface Change {
  /** The matrix was transposed, from `[in, out]`; of a stack of matrices, each. */
  readonly transposed?: true;
  /**
   * Rows were reordered. `pairs`: within each head, from two halves that are rotated together to neighbours; `fused`: from
   * queries, keys and values of one head after another to those of all heads.
   */
  readonly rows?: { readonly order: 'pairs' | 'fused'; readonly heads: 'heads' | 'keyValueHeads' };
  /** Was added to each number. */
  readonly added?: number;
  /** Columns were taken apart: these are every second one, from the first or the second on, of the checkpoint's tensor. */
  readonly columns?: 0 | 1;
}

/** How an architecture's tensors are called in the checkpoint. Names are without `.weight` and `.bias`, or else with one of them for it alone. */
interface Naming {
  /** By GGUF's names of what is in no layer. */
  readonly outer: Readonly<Record<string, string>>;
  /** What the names of a layer begin with, before its number. */
  readonly layers: string;
  /** By GGUF's names within a layer. With `{}`, the tensor has those of all experts, of which each has one. */
  readonly parts: Readonly<Record<string, string>>;
  /** By GGUF's names, of both kinds. */
  readonly changes?: Readonly<Record<string, Change>>;
}

/** Llama and all that have its names. */
const llama: Naming = {
  outer: { token_embd: 'model.embed_tokens', output_norm: 'model.norm', output: 'lm_head' },
  layers: 'model.layers.',
  parts: {
    attn_norm: 'input_layernorm',
    attn_q: 'self_attn.q_proj',
    attn_k: 'self_attn.k_proj',
    attn_v: 'self_attn.v_proj',
    attn_q_norm: 'self_attn.q_norm',
    attn_k_norm: 'self_attn.k_norm',
    attn_output: 'self_attn.o_proj',
    ffn_norm: 'post_attention_layernorm',
    ffn_gate: 'mlp.gate_proj',
    ffn_up: 'mlp.up_proj',
    ffn_down: 'mlp.down_proj',
  },
};

/** Mixtral's names of experts, beside Llama's. */
const mixtralParts = {
  ffn_gate_inp: 'block_sparse_moe.gate',
  ffn_gate_exps: 'block_sparse_moe.experts.{}.w1',
  ffn_up_exps: 'block_sparse_moe.experts.{}.w3',
  ffn_down_exps: 'block_sparse_moe.experts.{}.w2',
};

/** Those of which llama.cpp rotates neighbouring columns of a head, where checkpoints rotate halves. */
const neighbours: Naming = {
  ...llama,
  parts: { ...llama.parts, ...mixtralParts },
  changes: {
    attn_q: { rows: { order: 'pairs', heads: 'heads' } },
    attn_k: { rows: { order: 'pairs', heads: 'keyValueHeads' } },
  },
};

const olmo2: Naming = {
  ...llama,
  parts: { ...llama.parts, post_attention_norm: 'post_attention_layernorm', post_ffw_norm: 'post_feedforward_layernorm' },
};

const qwen3moe: Naming = {
  ...llama,
  parts: {
    ...llama.parts,
    ffn_gate_inp: 'mlp.gate',
    ffn_gate_exps: 'mlp.experts.{}.gate_proj',
    ffn_up_exps: 'mlp.experts.{}.up_proj',
    ffn_down_exps: 'mlp.experts.{}.down_proj',
  },
};

/** The names of norms on both sides of a half; of its norms, the file has 1 + w. */
const gemma: Naming = {
  ...llama,
  parts: {
    ...llama.parts,
    post_attention_norm: 'post_attention_layernorm',
    ffn_norm: 'pre_feedforward_layernorm',
    post_ffw_norm: 'post_feedforward_layernorm',
  },
  changes: Object.fromEntries(
    ['output_norm', 'attn_norm', 'attn_q_norm', 'attn_k_norm', 'post_attention_norm', 'ffn_norm', 'post_ffw_norm'].map((norm) => [
      norm,
      { added: 1 },
    ]),
  ),
};

const phi3: Naming = { ...llama, parts: { ...llama.parts, attn_qkv: 'self_attn.qkv_proj', ffn_up: 'mlp.gate_up_proj' } };

/** Experts are stacks of matrices, those of gate and factor one matrix with their columns in turn. */
const gptOss: Naming = {
  ...llama,
  parts: {
    ...llama.parts,
    'attn_sinks.weight': 'self_attn.sinks',
    post_attention_norm: 'post_attention_layernorm',
    ffn_gate_inp: 'mlp.router',
    'ffn_gate_exps.weight': 'mlp.experts.gate_up_proj',
    'ffn_gate_exps.bias': 'mlp.experts.gate_up_proj_bias',
    'ffn_up_exps.weight': 'mlp.experts.gate_up_proj',
    'ffn_up_exps.bias': 'mlp.experts.gate_up_proj_bias',
    'ffn_down_exps.weight': 'mlp.experts.down_proj',
    'ffn_down_exps.bias': 'mlp.experts.down_proj_bias',
  },
  changes: {
    ffn_gate_exps: { transposed: true, columns: 0 },
    ffn_up_exps: { transposed: true, columns: 1 },
    ffn_down_exps: { transposed: true },
  },
};

const gptNeox: Naming = {
  outer: { token_embd: 'gpt_neox.embed_in', output_norm: 'gpt_neox.final_layer_norm', output: 'embed_out' },
  layers: 'gpt_neox.layers.',
  parts: {
    attn_norm: 'input_layernorm',
    attn_qkv: 'attention.query_key_value',
    attn_output: 'attention.dense',
    ffn_norm: 'post_attention_layernorm',
    ffn_up: 'mlp.dense_h_to_4h',
    ffn_down: 'mlp.dense_4h_to_h',
  },
  changes: { attn_qkv: { rows: { order: 'fused', heads: 'heads' } } },
};

const bloom: Naming = {
  outer: { token_embd: 'word_embeddings', token_embd_norm: 'word_embeddings_layernorm', output_norm: 'ln_f', output: 'lm_head' },
  layers: 'h.',
  parts: { ...gptNeox.parts, attn_qkv: 'self_attention.query_key_value', attn_output: 'self_attention.dense' },
  changes: { attn_qkv: { rows: { order: 'fused', heads: 'heads' } } },
};

const mpt: Naming = {
  outer: { token_embd: 'wte', output_norm: 'norm_f', output: 'lm_head' },
  layers: 'blocks.',
  parts: {
    attn_norm: 'norm_1',
    attn_qkv: 'attn.Wqkv',
    attn_output: 'attn.out_proj',
    ffn_norm: 'norm_2',
    ffn_up: 'ffn.up_proj',
    ffn_down: 'ffn.down_proj',
  },
};

const transposed: Change = { transposed: true };

const gpt2: Naming = {
  outer: { token_embd: 'wte', position_embd: 'wpe', output_norm: 'ln_f', output: 'lm_head' },
  layers: 'h.',
  parts: {
    attn_norm: 'ln_1',
    attn_qkv: 'attn.c_attn',
    attn_output: 'attn.c_proj',
    ffn_norm: 'ln_2',
    ffn_up: 'mlp.c_fc',
    ffn_down: 'mlp.c_proj',
  },
  changes: { attn_qkv: transposed, attn_output: transposed, ffn_up: transposed, ffn_down: transposed },
};

const bert: Naming = {
  outer: {
    token_embd: 'embeddings.word_embeddings',
    position_embd: 'embeddings.position_embeddings',
    token_types: 'embeddings.token_type_embeddings',
    token_embd_norm: 'embeddings.LayerNorm',
  },
  layers: 'encoder.layer.',
  parts: {
    attn_q: 'attention.self.query',
    attn_k: 'attention.self.key',
    attn_v: 'attention.self.value',
    attn_output: 'attention.output.dense',
    attn_output_norm: 'attention.output.LayerNorm',
    ffn_up: 'intermediate.dense',
    ffn_down: 'output.dense',
    layer_output_norm: 'output.LayerNorm',
  },
};

/** By `general.architecture`; a further family whose names are Llama's needs no more than its line here. */
const namings: Readonly<Record<string, Naming>> = {
  llama: neighbours,
  smollm3: neighbours,
  granite: neighbours,
  qwen2: llama,
  qwen3: llama,
  qwen3moe,
  olmo2,
  gemma2: gemma,
  gemma3: gemma,
  phi3,
  // Its checkpoints rotate neighbouring columns themselves.
  cohere2: llama,
  'gpt-oss': gptOss,
  gptneox: gptNeox,
  bloom,
  mpt,
  gpt2,
  bert,
};

/** Tensors that are none of the text model's weights: factors of a rope, which the configuration has, and the part that reads images. */
export const besides = /^(rope_(freqs|factors_long|factors_short)\.weight$|v\.|mm\.)/;

/** Whether a tensor has factors of a rope. */
export function isRopeFactors(tensor: string): boolean {
  return tensor.startsWith('rope_') && besides.test(tensor);
}

/** What a tensor of a GGUF file is in the checkpoint that it was made from. */
export interface CheckpointName {
  /** With `{}` where each of the experts has one. */
  readonly name: string;
  readonly change: Change;
}

/**
 * The name of a tensor in the checkpoint, and how its numbers differ.
 *
 * @returns undefined for one that is not known: it keeps its name, under which no model reads it
 */
export function checkpointName(architecture: string, tensor: string): CheckpointName | undefined {
  const naming = Object.hasOwn(namings, architecture) ? namings[architecture] : undefined;
  const [, block, part, end] = /^(?:blk\.(\d+)\.)?(.+)(\.weight|\.bias)$/.exec(tensor) ?? [];
  if (naming === undefined || (part as string | undefined) === undefined) {
    return undefined;
  }
  const inLayer = (block as string | undefined) !== undefined;
  const names = inLayer ? naming.parts : naming.outer;
  const known = [`${part}${end}`, part].find((name) => Object.hasOwn(names, name));
  if (known === undefined) {
    return undefined;
  }
  const { transposed, ...change } = naming.changes?.[part] ?? {};
  return {
    name: `${inLayer ? `${naming.layers}${block}.` : ''}${names[known]}${known === part ? end : ''}`,
    // A bias has no columns to transpose.
    change: end === '.weight' && transposed ? { ...change, transposed } : change,
  };
}

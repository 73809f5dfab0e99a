/** What is right of a published configuration, written by hand. */
export interface Right {
  /** Layers of one kind: number, mask, query heads, key-value heads, width of keys, of values if another, feed-forward width in use. */
  readonly layers: readonly string[];
  /**
   * Parameters in billions: all, and if it is a mixture of experts those in use. As publishers state them, but for what the part
   * that is planned leaves out: Scout has 109 with its images, MiMo 7.8 with the layers that predict further tokens; and for the
   * variant with layers apart, of which they are counted by hand.
   */
  readonly billions: number;
  readonly active?: number;
  /** Tokens that it was trained to read. */
  readonly trained?: number;
  /** What a run lacks; absent if there is one. */
  readonly lacks?: RegExp;
}

const causal = 'causal';
const window = (size: number): string => `sliding-window(window ${size})`;
/** A kind of layer with attention, in words. */
export const kind = (count: number, mask: string, heads: number, keyValueHeads: number, width: number | string, network: number): string =>
  `${count} x ${mask}, ${heads}/${keyValueHeads} heads of ${width}, ${network}`;
/** A kind of layer without, in words. */
export const idle = (count: number, network: number): string => `${count} x no attention, ${network}`;

const chunks = 'custom(k <= q and q // 8192 == k // 8192)';

/** The configurations that are planned. */
export const planned: Readonly<Record<string, Right>> = {
  'DeepSeek-V3': {
    layers: [kind(61, causal, 128, 128, '192/128', 18432)],
    billions: 671,
    active: 37,
    trained: 163_840,
    lacks: /latent attention/,
  },
  'DeepSeek-V3.2': {
    layers: [kind(61, window(2048), 128, 128, '192/128', 18432)],
    billions: 671,
    active: 37,
    trained: 163_840,
    lacks: /indexer picks/,
  },
  'GLM-5': {
    layers: [kind(3, window(2048), 64, 64, 256, 12288), kind(75, window(2048), 64, 64, 256, 18432)],
    billions: 744,
    active: 40,
    trained: 202_752,
    lacks: /indexer picks/,
  },
  'Kimi-K2-Instruct': {
    layers: [kind(61, causal, 64, 64, '192/128', 18432)],
    billions: 1026,
    active: 32,
    trained: 131_072,
    lacks: /latent attention and experts[^;]*$/,
  },
  'Kimi-K2.5': {
    layers: [kind(61, causal, 64, 64, '192/128', 18432)],
    billions: 1026,
    active: 32,
    trained: 262_144,
    lacks: /other inputs.*compressed-tensors/,
  },
  'Llama-3.1-70B-Instruct-FP8': { layers: [kind(80, causal, 64, 8, 128, 28672)], billions: 70.55, trained: 131_072 },
  'Llama-3.1-8B-AWQ': { layers: [kind(32, causal, 32, 8, 128, 14336)], billions: 8.03, trained: 131_072 },
  'Llama-4-Scout-17B-16E-Instruct': {
    layers: [kind(36, chunks, 40, 8, 128, 16384), kind(12, causal, 40, 8, 128, 16384)],
    billions: 107.8,
    active: 17.2,
    trained: 10_485_760,
    lacks: /chunks of attention/,
  },
  'Meta-Llama-3.1-8B': { layers: [kind(32, causal, 32, 8, 128, 14336)], billions: 8.03, trained: 131_072 },
  'MiMo-7B-Base': { layers: [kind(36, causal, 32, 8, 128, 11008)], billions: 7.6, trained: 32_768, lacks: /mimo has/ },
  'MiniMax-M2.5': { layers: [kind(62, causal, 48, 8, 128, 12288)], billions: 229, active: 10, trained: 196_608, lacks: /experts[^;]*$/ },
  'Mixtral-8x7B-v0.1': { layers: [kind(32, causal, 32, 8, 128, 28672)], billions: 46.7, active: 12.9, trained: 32_768 },
  'NVIDIA-Nemotron-3-Nano-30B-A3B-BF16': {
    layers: [idle(23, 0), idle(23, 6 * 1856 + 3712), kind(6, causal, 32, 2, 128, 0)],
    billions: 31.6,
    active: 3.6,
    trained: 262_144,
    lacks: /recurrences/,
  },
  'Phi-3-mini-128k': {
    layers: [kind(32, window(262_144), 32, 32, 96, 8192)],
    billions: 3.82,
    trained: 131_072,
    // The list is cut in this copy.
    lacks: /48 numbers in short_factor, and config\.json has 1;.*long_factor/,
  },
  'Phi-4-mini': {
    layers: [kind(32, window(262_144), 24, 8, 128, 8192)],
    billions: 3.8,
    trained: 131_072,
    // It is left out in this copy.
    lacks: /48 numbers in short_factor, and config\.json has none;.*long_factor/,
  },
  'Qwen2.5-7B-Instruct-1M': {
    layers: [kind(28, causal, 28, 4, 128, 18944)],
    billions: 7.62,
    trained: 1_010_000,
    lacks: /dual_chunk_attention_config/,
  },
  'Qwen3-0.6B': { layers: [kind(28, causal, 16, 8, 128, 3072)], billions: 0.596, trained: 40_960 },
  'Qwen3-30B-A3B': { layers: [kind(48, causal, 32, 4, 128, 8 * 768)], billions: 30.5, active: 3.3, trained: 40_960 },
  'Qwen3-32B-FP8': { layers: [kind(64, causal, 64, 8, 128, 25600)], billions: 32.8, trained: 40_960 },
  // transformers 5 takes the scaling, and so its length.
  'Qwen3-8B-v5+readme-yarn': { layers: [kind(36, causal, 32, 8, 128, 12288)], billions: 8.19, trained: 131_072 },
  'Qwen3-VL-4B-Instruct': { layers: [kind(36, causal, 32, 8, 128, 9728)], billions: 4.02, trained: 262_144, lacks: /other inputs/ },
  'Qwen3-per-layer-config-v5.13': {
    layers: [kind(34, causal, 32, 8, 128, 12288), kind(1, causal, 32, 4, 128, 12288), kind(1, causal, 32, 8, 128, 4096)],
    billions: 8.09,
    trained: 40_960,
    lacks: /per_layer_config/,
  },
  'Qwen3.5-27B': {
    layers: [idle(48, 17408), kind(16, causal, 24, 4, 256, 17408)],
    billions: 27,
    trained: 262_144,
    lacks: /linear attention/,
  },
  'Qwen3.5-35B-A3B': {
    layers: [idle(30, 9 * 512), kind(10, causal, 16, 2, 256, 9 * 512)],
    billions: 35,
    active: 3,
    trained: 262_144,
    lacks: /linear attention/,
  },
  'gemma-2-9b': {
    layers: [kind(21, window(4096), 16, 8, 256, 14336), kind(21, causal, 16, 8, 256, 14336)],
    billions: 9.24,
    trained: 8192,
  },
  'gemma-3-1b-it': {
    layers: [kind(22, window(512), 4, 1, 256, 6912), kind(4, causal, 4, 1, 256, 6912)],
    billions: 1.0,
    trained: 32_768,
  },
  'gemma-3-4b-it': {
    layers: [kind(29, window(1024), 8, 4, 256, 10240), kind(5, causal, 8, 4, 256, 10240)],
    billions: 3.88,
    trained: 131_072,
  },
  'gemma-4-26B-A4B': {
    layers: [kind(25, window(1024), 16, 8, 256, 2112 + 8 * 704), kind(5, causal, 16, 2, 512, 2112 + 8 * 704)],
    billions: 25.2,
    active: 3.8,
    trained: 262_144,
    lacks: /global layers of another head width/,
  },
  'gpt-oss-20b': {
    layers: [kind(12, window(128), 64, 8, 64, 4 * 2880), kind(12, causal, 64, 8, 64, 4 * 2880)],
    billions: 20.9,
    active: 3.6,
    trained: 131_072,
  },
  'mlx-Qwen3-8B-4bit': { layers: [kind(36, causal, 32, 8, 128, 12288)], billions: 8.19, trained: 40_960 },
  'SmolLM3-3B': { layers: [kind(36, causal, 16, 4, 128, 11008)], billions: 3.08, trained: 65_536 },
  'OLMo-2-7B': { layers: [kind(32, causal, 32, 32, 128, 11008)], billions: 7.3, trained: 4096 },
  'Olmo-3-7B': {
    layers: [kind(24, window(4096), 32, 32, 128, 11008), kind(8, causal, 32, 32, 128, 11008)],
    billions: 7.3,
    trained: 65_536,
  },
  'pythia-1b': { layers: [kind(16, causal, 8, 8, 256, 8192)], billions: 1.012, trained: 2048 },
  'granite-3.3-2b': { layers: [kind(40, causal, 32, 8, 64, 8192)], billions: 2.53, trained: 131_072 },
  'c4ai-command-r7b-12-2024': {
    layers: [kind(24, window(4096), 32, 8, 128, 14336), kind(8, causal, 32, 8, 128, 14336)],
    billions: 8.03,
    trained: 8192,
  },
  // One column of a head is for ALiBi.
  'bloom-7b1': { layers: [kind(30, causal, 32, 32, 129, 16384)], billions: 7.07 },
  'mpt-7b': { layers: [kind(32, causal, 32, 32, 129, 16384)], billions: 6.65, trained: 2048 },
  'roberta-base': { layers: [kind(12, 'full', 12, 12, 64, 3072)], billions: 0.125, trained: 512 },
  'xlm-roberta-base': { layers: [kind(12, 'full', 12, 12, 64, 3072)], billions: 0.278, trained: 512 },
  'gpt-neo-1.3B': {
    layers: [kind(12, causal, 16, 16, 128, 8192), kind(12, window(256), 16, 16, 128, 8192)],
    billions: 1.316,
    trained: 2048,
  },
  'GLM-4.5-Air': {
    layers: [kind(1, causal, 96, 8, 128, 10944), kind(45, causal, 96, 8, 128, 9 * 1408)],
    billions: 106,
    active: 12,
    trained: 131_072,
    lacks: /experts/,
  },
  'Qwen3-Next-80B-A3B-Instruct': {
    layers: [idle(36, 11 * 512), kind(12, causal, 16, 2, 256, 11 * 512)],
    billions: 80,
    active: 3,
    trained: 262_144,
    lacks: /linear attention/,
  },
  'MiMo-V2-Flash': {
    layers: [
      kind(1, causal, 64, 4, '192/128', 16384),
      kind(8, causal, 64, 4, '192/128', 16384),
      kind(39, window(128), 64, 8, '192/128', 16384),
    ],
    billions: 309,
    active: 15,
    trained: 262_144,
    lacks: /learned sink/,
  },
  'Step-3.5-Flash': {
    layers: [
      kind(1, causal, 64, 8, 128, 11264),
      kind(2, window(512), 96, 8, 128, 11264),
      kind(31, window(512), 96, 8, 128, 9 * 1280),
      kind(11, causal, 64, 8, 128, 9 * 1280),
    ],
    billions: 196.8,
    active: 11,
    trained: 262_144,
    lacks: /different heads/,
  },
};

/** The configurations that are refused, by the field that stops them. */
export const refused: Readonly<Record<string, RegExp>> = {
  // Its keys stand for 4 or 128 tokens each.
  'DeepSeek-V4-Flash': /compress_ratios/,
  // Its code has norms inside and weights of three values.
  'bitnet_b1_58-3B': /architectures "BitnetForCausalLM"/,
  // ALiBi, in code of its own.
  'mosaic-bert-base-seqlen-2048': /auto_map AutoModelForMaskedLM/,
  // Attends to both sides, in code of its own.
  'qwen2.5-coder-7B-bd': /auto_map AutoModel/,
  // One key for all heads, in code of its own.
  santacoder: /architectures "GPT2LMHeadCustomModel"/,
};

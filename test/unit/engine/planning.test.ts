import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defaultOptions } from '../../../src/core/options/table';
import { planRequest } from '../../../src/core/plan/request';
import { requestCost } from '../../../src/core/plan/request-cost';
import { scenarioLabel } from '../../../src/core/scenario/scenario';
import { parseConfig } from '../../../src/engine/read/model/config';
import { root } from '../../support/paths';
import { outcomeOf, refusalOf } from './malformed/outcome';

const folder = join(root, 'test', 'fixtures', 'configs');

function configOf(name: string): Record<string, unknown> {
  return JSON.parse(readFileSync(join(folder, name, 'config.json'), 'utf8')) as Record<string, unknown>;
}

type Change = Readonly<Record<string, unknown>>;

/** The text of a published configuration with some fields changed; undefined takes one away. */
const changed = (name: string, change: Change): string => JSON.stringify({ ...configOf(name), ...change });
/** The same inside the part that describes text. */
const changedText = (name: string, change: Change): string =>
  changed(name, { text_config: { ...(configOf(name).text_config as Change), ...change } });
const read = (text: string) => parseConfig(text, 'config.json');
const refusal = (text: string): Promise<string> => refusalOf(() => read(text));
const maskOf = (text: string): string => scenarioLabel(read(text).shape.attention ?? { kind: 'full' });

const plain = {
  architectures: ['FooMoEForCausalLM'],
  model_type: 'foo_moe',
  hidden_size: 64,
  intermediate_size: 128,
  num_hidden_layers: 4,
  num_attention_heads: 4,
  vocab_size: 100,
  max_position_embeddings: 512,
};

describe('a model type that nobody wrote down', () => {
  it('is planned from its fields, and says so', () => {
    const { shape, notes, lacks, run } = read(
      JSON.stringify({ ...plain, num_experts: 8, num_experts_per_tok: 2, moe_intermediate_size: 32 }),
    );
    expect(shape).toEqual({
      ...{ heads: 4, keyValueHeads: 4, headWidth: 16, feedForwardWidth: 64, layers: 4, width: 64, vocabulary: 100 },
      attention: { kind: 'causal' },
      trainedTokens: 512,
      // Embedding and head, and in each layer 4 projections, 8 experts of 3 matrices, a router and 2 norms; the last norm.
      parameters: 2 * 6400 + 4 * (4 * 64 * 64 + 3 * 64 * 8 * 32 + 8 * 64 + 2 * 64) + 64,
    });
    expect(notes).toEqual([expect.stringMatching(/^model_type "foo_moe" is not among those .* causal attention where they say no more/)]);
    expect(lacks).toEqual(['foo_moe has no reader for a run']);
    expect(run).toBeUndefined();
  });

  it.each<[string, Change, RegExp]>([
    ['without a class', { architectures: undefined }, /model_type "foo_moe" is not supported/],
    ['of another class', { architectures: ['LlamaForCausalLM'] }, /model_type "foo_moe" with architectures "LlamaForCausalLM"/],
    ['of a class that is no decoder', { architectures: ['FooMoeModelLM'] }, /architectures "FooMoeModelLM"/],
    ['of a class that is no text', { architectures: [[]] }, /architectures a list/],
    ['with code of its own', { auto_map: { AutoModel: 'x.Y' } }, /auto_map AutoModel "x\.Y"/],
    ['with a window on layers that it does not name', { sliding_window: 8 }, /sliding_window 8 is not known/],
    ['with tokens that are masked', { mask_token_id: 7 }, /mask_token_id 7/],
    ['with keys on both sides', { is_causal: false }, /is_causal false/],
    ['with an encoder', { is_encoder_decoder: true }, /is_encoder_decoder true is not supported/],
    ['without heads', { num_attention_heads: undefined }, /num_attention_heads is missing/],
    ['without a feed-forward width', { intermediate_size: undefined }, /intermediate_size is missing/],
    ['with a number that is none', { hidden_size: '64' }, /hidden_size: .*"64"/],
    ['with heads that do not divide', { num_key_value_heads: 3 }, /3 key-value heads do not divide 4 heads/],
  ])('is refused %s', async (_what, change, message) => {
    expect(await refusal(JSON.stringify({ ...plain, ...change }))).toMatch(message);
  });

  it('is noted where it has a key that cannot change attention', () => {
    expect(read(JSON.stringify({ ...plain, mup_base: 3 })).notes.at(-1)).toMatch(/^config\.json has mup_base 3, which is not known/);
  });
});

describe('masks of layers', () => {
  it.each<[string, Change, string]>([
    ['Mixtral-8x7B-v0.1', { sliding_window: 4096 }, 'sliding-window(window 4096)'],
    ['Qwen3-30B-A3B', { use_sliding_window: true, sliding_window: 512 }, 'sliding-window(window 512)'],
    ['Qwen3-30B-A3B', { use_sliding_window: true, sliding_window: undefined }, 'sliding-window(window 4096)'],
    [
      'MiMo-7B-Base',
      { use_sliding_window: true, sliding_window: 64, max_window_layers: 35 },
      'per-layer(35 x causal, sliding-window(window 64))',
    ],
    ['gpt-oss-20b', { layer_types: undefined, num_hidden_layers: 3 }, 'per-layer(sliding-window(window 128), causal)'],
    ['gemma-2-9b', { sliding_window: undefined, num_hidden_layers: 2 }, 'per-layer(sliding-window(window 4096), causal)'],
    [
      'gemma-3-1b-it',
      { sliding_window_pattern: 2, num_hidden_layers: 4, sliding_window: 8 },
      'per-layer(sliding-window(window 8), causal)',
    ],
    ['Qwen3-Next-80B-A3B-Instruct', { num_hidden_layers: 4, full_attention_interval: 2 }, 'causal'],
    [
      'gpt-neo-1.3B',
      {
        attention_layers: undefined,
        attention_types: [
          [['global', 'local'], 1],
          [['local'], 22],
        ],
        window_size: 9,
      },
      'per-layer(causal, 23 x sliding-window(window 9))',
    ],
    ['MiniMax-M2.5', { attn_type_list: Array.from({ length: 62 }, () => 1) }, 'causal'],
  ])('of %s with %j are %s', (name, change, mask) => {
    expect(maskOf(changed(name, change))).toBe(mask);
  });

  it('have chunks but where a layer has no rope', () => {
    const first = 'custom(k <= q and q // 8192 == k // 8192)';
    expect(
      maskOf(
        changedText('Llama-4-Scout-17B-16E-Instruct', { num_hidden_layers: 3, no_rope_layers: [1, 0, 1], attention_chunk_size: undefined }),
      ),
    ).toBe(`per-layer(${first}, causal)`);
    expect(maskOf(changedText('Llama-4-Scout-17B-16E-Instruct', { attention_chunk_size: null }))).toBe('causal');
  });

  it.each<[string, Change, RegExp]>([
    ['gpt-oss-20b', { num_hidden_layers: 23 }, /layer_types has 24 entries but num_hidden_layers is 23/],
    ['gpt-oss-20b', { layer_types: Array.from({ length: 24 }, () => 'odd_attention') }, /layer type "odd_attention" is not supported/],
    ['gpt-oss-20b', { attention_window: 7 }, /attention_window 7 is not known/],
    ['Olmo-3-7B', { sliding_window: 0 }, /sliding_window: .*not 0/],
    ['MiMo-V2-Flash', { hybrid_layer_pattern: [2] }, /hybrid_layer_pattern/],
    [
      'gpt-neo-1.3B',
      { attention_layers: undefined, attention_types: [[['global'], 3]] },
      /attention_types describes 3 layers but num_layers is 24/,
    ],
    ['gpt-neo-1.3B', { attention_layers: Array.from({ length: 24 }, () => 'odd') }, /layer type "odd"/],
    ['DeepSeek-V3.2', { index_n_heads: undefined }, /index_n_heads is missing/],
    ['DeepSeek-V3', { qk_head_dim: 100 }, /qk_head_dim 100: qk_nope_head_dim and qk_rope_head_dim make 192/],
    ['DeepSeek-V4-Flash', { compress_ratios: undefined }, /model_type "deepseek_v4" is not supported/],
    ['mpt-7b', { attn_config: { alibi: true, prefix_lm: true } }, /attn_config\.prefix_lm/],
    ['roberta-base', { is_decoder: true }, /is_decoder true/],
    ['Qwen3.5-27B', { odd_block: 1 }, /odd_block 1/],
    ['Kimi-K2.5', { architectures: ['DeepseekV3ForCausalLM'] }, /architectures "DeepseekV3ForCausalLM" is not known/],
    ['Kimi-K2-Instruct', { auto_map: { AutoModel: 'modeling_other.M' } }, /auto_map AutoModel "modeling_other\.M"/],
    ['NVIDIA-Nemotron-3-Nano-30B-A3B-BF16', { hybrid_override_pattern: 'M*' }, /hybrid_override_pattern "M\*": it describes 2 layers/],
    ['NVIDIA-Nemotron-3-Nano-30B-A3B-BF16', { hybrid_override_pattern: 'X'.repeat(52) }, /hybrid_override_pattern "X"/],
    ['NVIDIA-Nemotron-3-Nano-30B-A3B-BF16', { hybrid_override_pattern: 'M'.repeat(52) }, /a model without attention/],
  ])('of %s with %j are refused by the field', async (name, change, message) => {
    expect(await refusal(changed(name, change))).toMatch(message);
  });
});

describe('layers that are not alike', () => {
  const networks = (text: string): string => {
    const { kinds, feedForwardWidth, layers } = read(text).shape;
    return (kinds ?? [{ layers: Array.from({ length: layers }, (_, layer) => layer), feedForwardWidth }])
      .map((kind) => `${kind.layers.join()}: ${kind.feedForwardWidth}`)
      .join('; ');
  };

  it.each<[Change, string]>([
    [{ decoder_sparse_step: 2 }, '0,2: 6144; 1,3: 768'],
    [{ mlp_only_layers: [0, 2] }, '0,2: 6144; 1,3: 768'],
    [{ num_experts: 0 }, '0,1,2,3: 6144'],
  ])('have networks by %j', (change, text) => {
    expect(networks(changed('Qwen3-30B-A3B', { num_hidden_layers: 4, num_experts_per_tok: 1, ...change }))).toBe(text);
  });

  it.each<[Change, string]>([
    [{ decoder_sparse_step: 2 }, '0,2: 6144; 1,3: 768'],
    [{ moe_layer_freq: [1, 0, 0, 1] }, '0,3: 768; 1,2: 6144'],
    [{ moe_layer_freq: 3 }, '0,3: 768; 1,2: 6144'],
    [{ first_k_dense_replace: 3 }, '0,1,2: 6144; 3: 768'],
    [{ mlp_layer_types: ['sparse', 'dense', 'dense', 'dense'] }, '0: 768; 1,2,3: 6144'],
    [{ moe_layers_enum: '1,2' }, '0,3: 6144; 1,2: 768'],
    [{ n_shared_experts: 2 }, '0,1,2,3: 2304'],
    [{ shared_expert_intermediate_size: 5 }, '0,1,2,3: 773'],
  ])('have networks by %j in a model that is planned only', (change, text) => {
    const planned = { model_type: 'qwen2_moe', architectures: ['Qwen2MoeForCausalLM'], num_hidden_layers: 4, num_experts_per_tok: 1 };
    expect(networks(changed('Qwen3-30B-A3B', { ...planned, ...change }))).toBe(text);
  });

  it('are the last ones of a Gemma 4 that use earlier keys, with wider networks', () => {
    const small = {
      ...{ enable_moe_block: false, num_experts: null, top_k_experts: null, moe_intermediate_size: null, attention_k_eq_v: false },
      ...{ num_hidden_layers: 4, hidden_size: 64, intermediate_size: 100, num_attention_heads: 4, num_key_value_heads: 1, head_dim: 8 },
      ...{ global_head_dim: 16, num_global_key_value_heads: null, num_kv_shared_layers: 2, use_double_wide_mlp: true },
      ...{ layer_types: ['sliding_attention', 'full_attention', 'sliding_attention', 'full_attention'] },
    };
    const { shape, notes } = read(changedText('gemma-4-26B-A4B', small));
    expect(shape.kinds).toEqual([
      { heads: 4, keyValueHeads: 1, headWidth: 8, feedForwardWidth: 100, layers: [0] },
      { heads: 4, keyValueHeads: 1, headWidth: 16, feedForwardWidth: 100, layers: [1] },
      { heads: 4, keyValueHeads: 1, headWidth: 8, feedForwardWidth: 200, projection: 64 * 8 * 4, cacheWidth: 0, layers: [2] },
      { heads: 4, keyValueHeads: 1, headWidth: 16, feedForwardWidth: 200, projection: 64 * 16 * 4, cacheWidth: 0, layers: [3] },
    ]);
    expect(notes.join(' ')).toMatch(/The last 2 layers use the keys and values of earlier ones/);
  });

  it('may be described apart in any model type', () => {
    const { shape, lacks } = read(changed('OLMo-2-7B', { per_layer_config: { 31: { num_key_value_heads: 8 } } }));
    expect(shape.kinds?.map(({ keyValueHeads, layers }) => [keyValueHeads, layers.length])).toEqual([
      [32, 31],
      [8, 1],
    ]);
    expect(lacks).toHaveLength(1);
  });

  it('mix tokens in a way that is counted by its products', () => {
    const text = changed('NVIDIA-Nemotron-3-Nano-30B-A3B-BF16', {
      ...{
        num_hidden_layers: 3,
        hybrid_override_pattern: 'M*-',
        hidden_size: 10,
        mamba_num_heads: 2,
        mamba_head_dim: 3,
        n_groups: 1,
        ssm_state_size: 4,
      },
    });
    // Gates and inputs (6 each), two projections of the state (4 each), a step for each head; and the output.
    expect(read(text).shape.kinds?.[0]).toMatchObject({ heads: 0, feedForwardWidth: 0, projection: 10 * (12 + 8 + 2) + 6 * 10 });
  });
});

describe('a model with other inputs than text', () => {
  it('is planned by the part that describes text, which may be of an architecture that runs', () => {
    const inner = { ...configOf('Meta-Llama-3.1-8B'), architectures: undefined, tie_word_embeddings: undefined };
    const outer = {
      architectures: ['LlavaForConditionalGeneration'],
      model_type: 'llava',
      image_seq_length: 576,
      vision_config: { hidden_size: 3 },
    };
    const config = read(JSON.stringify({ ...outer, text_config: inner }));
    expect(config.shape).toEqual(read(JSON.stringify(configOf('Meta-Llama-3.1-8B'))).shape);
    expect(config.notes).toEqual(['Only text is planned (text_config): vision_config is not.']);
    expect(config.lacks).toEqual(['llava reads other inputs than text']);
    expect(config.run).toBeUndefined();
  });

  it('is planned by its own fields where text has no part of its own', () => {
    const outer = {
      model_type: 'qwen2_5_vl',
      architectures: ['Qwen2_5_VLForConditionalGeneration'],
      vision_config: { depth: 32 },
      image_token_id: 5,
    };
    const config = read(JSON.stringify({ ...plain, ...outer, use_sliding_window: false }));
    expect(config.notes).toEqual(['Only text is planned (config.json): vision_config is not.']);
    expect(config.lacks).toEqual(['qwen2_5_vl reads other inputs than text', 'qwen2_5_vl has positions in three directions']);
    expect(config.shape.attention).toEqual({ kind: 'causal' });
  });

  it('is refused by a key around that part which is not known', async () => {
    expect(await refusal(changed('Qwen3-VL-4B-Instruct', { cross_attention_layers: [1] }))).toMatch(
      /cross_attention_layers a list is not known/,
    );
    expect(await refusal(JSON.stringify({ model_type: 'odd', text_config: {} }))).toMatch(
      /text_config without a model_type in model_type "odd"/,
    );
  });
});

const names = readdirSync(folder).filter((name) => name !== 'README.md');

describe('any configuration', () => {
  it('is refused in one line, or means a shape that can be planned', async () => {
    const values = fc.oneof(
      fc.constantFrom<unknown>(
        null,
        true,
        false,
        0,
        1,
        2,
        7,
        -1,
        0.5,
        1e9,
        '',
        'x',
        [],
        {},
        [0, 1],
        ['full_attention'],
        [[['local'], 24]],
        { 0: { head_dim: 8 } },
      ),
      fc.jsonValue({ maxDepth: 2 }),
    );
    const keys = [
      ...new Set(names.flatMap((name) => Object.keys({ ...configOf(name), ...(configOf(name).text_config as object | undefined) }))),
    ];
    const edits = fc.array(fc.tuple(fc.constantFrom(...keys), values), { minLength: 1, maxLength: 4 });
    let accepted = 0;
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...names), edits, fc.boolean(), async (name, made, inside) => {
        const change = Object.fromEntries(made);
        const text = inside && configOf(name).text_config !== undefined ? changedText(name, change) : changed(name, change);
        const { value } = await outcomeOf(() => read(text));
        if (value === undefined) {
          return;
        }
        accepted += 1;
        const { shape } = value;
        const order = (shape.kinds ?? []).flatMap(({ layers }) => layers).sort((one, other) => one - other);
        expect(shape.kinds === undefined || order.every((layer, index) => layer === index)).toBe(true);
        expect(order.length === 0 || order.length === shape.layers).toBe(true);
        expect(Number.isFinite(shape.parameters) && shape.heads > 0 && Number.isInteger(shape.headWidth)).toBe(true);
        if (shape.layers <= 200) {
          const cost = requestCost(planRequest(600, shape, { ...defaultOptions, blockSize: 64, scenario: { kind: 'causal' } }));
          expect(Number.isFinite(cost.flops) && cost.calls.attention > 0).toBe(true);
        }
      }),
      { numRuns: 1500, seed: 17 },
    );
    expect(accepted).toBeGreaterThan(100);
  });
});

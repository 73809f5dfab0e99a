import type { LayerWeights, LoadedModel } from '../../../src/engine/read/model/load';
import type {
  AttendWeight,
  EmbeddingWeight,
  HeadWeight,
  OutputAndMlpWeight,
  ProjectWeight,
  Weight,
  Weights,
} from '../../../src/engine/read/model/weights';
import type { Tensor } from './gguf-file';
import { frequencyDivisors } from './rotary';

/** GGUF's names of weights; what has none here is of encoders. */
const embeddingNames: Partial<Record<EmbeddingWeight, string>> = {
  words: 'token_embd.weight',
  positions: 'position_embd.weight',
  embeddingNormWeight: 'token_embd_norm.weight',
  embeddingNormBias: 'token_embd_norm.bias',
};
const headNames: Partial<Record<HeadWeight, string>> = {
  finalNormWeight: 'output_norm.weight',
  finalNormBias: 'output_norm.bias',
  headWeight: 'output.weight',
};
const layerNames: Readonly<Partial<Record<ProjectWeight | AttendWeight | OutputAndMlpWeight, string>>> = {
  attentionNormWeight: 'attn_norm.weight',
  attentionNormBias: 'attn_norm.bias',
  queryWeight: 'attn_q.weight',
  queryBias: 'attn_q.bias',
  keyWeight: 'attn_k.weight',
  keyBias: 'attn_k.bias',
  valueWeight: 'attn_v.weight',
  valueBias: 'attn_v.bias',
  queryNormWeight: 'attn_q_norm.weight',
  keyNormWeight: 'attn_k_norm.weight',
  outputWeight: 'attn_output.weight',
  outputBias: 'attn_output.bias',
  attentionOutputNormWeight: 'post_attention_norm.weight',
  mlpNormWeight: 'ffn_norm.weight',
  mlpNormBias: 'ffn_norm.bias',
  mlpOutputNormWeight: 'post_ffw_norm.weight',
  gateWeight: 'ffn_gate.weight',
  gateBias: 'ffn_gate.bias',
  upWeight: 'ffn_up.weight',
  upBias: 'ffn_up.bias',
  downWeight: 'ffn_down.weight',
  downBias: 'ffn_down.bias',
  sinks: 'attn_sinks.weight',
  routerWeight: 'ffn_gate_inp.weight',
  routerBias: 'ffn_gate_inp.bias',
};

/** Where norms are on what a half of a layer gives. */
const outputNormNames = { attentionNormWeight: 'post_attention_norm.weight', mlpNormWeight: 'post_ffw_norm.weight' };

/** A model's weights as llama.cpp wants them under the name of an architecture. */
export function ggufTensors(model: LoadedModel, architecture: string): Tensor[] {
  // A head that is the embedding is left out: llama.cpp takes the embedding in its place.
  const { headWeight, ...head } = model.head;
  const ownHead = headWeight?.data !== model.embedding.words.data;
  const scaling = model.rotary?.[0]?.scaling;
  const longrope = scaling?.type === 'longrope' ? { long: scaling.longFactors, short: scaling.shortFactors } : {};
  const divisors = model.rotary?.[0] && frequencyDivisors(model.rotary[0], model.shape.headWidth);
  return [
    ...named(model.embedding, embeddingNames),
    ...named<HeadWeight>(ownHead ? model.head : head, headNames),
    ...(divisors === undefined ? [] : [{ name: 'rope_freqs.weight', shape: [divisors.length], data: divisors }]),
    ...Object.entries(longrope).map(([name, factors]) => ({
      name: `rope_factors_${name}.weight`,
      shape: [factors.length],
      data: Float32Array.from(factors),
    })),
    ...model.layers.flatMap((layer, index) =>
      layerTensors(layer, model, architecture).map(({ name, ...tensor }) => ({ name: `blk.${index}.${name}`, ...tensor })),
    ),
  ];
}

function layerTensors(
  { project, attend, outputAndMlp: second }: LayerWeights,
  { shape, multipliers }: LoadedModel,
  architecture: string,
): Tensor[] {
  const { stacks, outputAndMlp } = withoutExperts(second);
  switch (architecture) {
    case 'gpt2':
    case 'gptneox':
    case 'bloom':
    case 'mpt': {
      const { queryWeight, keyWeight, valueWeight, queryBias, keyBias, valueBias, ...norm } = project;
      // llama.cpp takes none of these without a bias but MPT, which has none.
      const isBiased = architecture !== 'mpt';
      const none: Weight = { shape: [shape.width], data: new Float32Array(shape.width) };
      const joined = [
        tensorOf('attn_qkv.weight', stacked(queryWeight, keyWeight, valueWeight)),
        ...(isBiased ? [tensorOf('attn_qkv.bias', stacked(queryBias ?? none, keyBias ?? none, valueBias ?? none))] : []),
      ];
      const rest = { ...(isBiased && { outputBias: none }), ...outputAndMlp };
      return [...named<ProjectWeight>(norm, layerNames), ...joined, ...named<OutputAndMlpWeight>(rest, layerNames)];
    }
    case 'olmo2':
      return [...named(project, layerNames), ...named(outputAndMlp, { ...layerNames, ...outputNormNames })];
    case 'phi3': {
      const { queryWeight, keyWeight, valueWeight, ...norm } = project;
      const { gateWeight, upWeight, ...rest } = outputAndMlp;
      const joined = [
        tensorOf('attn_qkv.weight', stacked(queryWeight, keyWeight, valueWeight)),
        tensorOf('ffn_up.weight', stacked(gateWeight, upWeight)),
      ];
      return [...named<ProjectWeight>(norm, layerNames), ...joined, ...named<OutputAndMlpWeight>(rest, layerNames)];
    }
    case 'gemma2':
    case 'gemma3': {
      // llama.cpp scales scores by the root of the head width: the rest goes into what queries are multiplied with last.
      const last = architecture === 'gemma2' ? 'queryWeight' : 'queryNormWeight';
      const factor = (multipliers?.scores ?? 1) * Math.sqrt(shape.headWidth);
      const scaled = { ...project, [last]: multiplied(project[last] ?? missing(), factor) };
      return [...named<ProjectWeight>(scaled, layerNames), ...named(outputAndMlp, layerNames)];
    }
    case 'gpt-oss': {
      const { mlpNormWeight, ...rest } = outputAndMlp;
      const norm = named({ mlpNormWeight } as Weights<OutputAndMlpWeight>, { mlpNormWeight: 'post_attention_norm.weight' });
      return [...named(project, layerNames), ...named(attend, layerNames), ...named(rest, layerNames), ...norm, ...stacks];
    }
    case 'llama':
    case 'smollm3':
    case 'granite':
    case 'cohere2': {
      // Of these llama.cpp rotates neighbouring columns of a head, where checkpoints rotate halves.
      const rotated = Object.entries(project).map(([name, weight]) => {
        const heads = name.startsWith('query') ? shape.heads : shape.keyValueHeads;
        return [name, /^(query|key)(Weight|Bias)$/.test(name) ? interleaved(weight, heads) : weight];
      });
      // The halves of a Command R share their norm.
      const { mlpNormWeight, ...rest } = outputAndMlp;
      const own = mlpNormWeight?.data === project.attentionNormWeight?.data ? rest : outputAndMlp;
      return [
        ...named(Object.fromEntries(rotated) as Weights<ProjectWeight>, layerNames),
        ...named<OutputAndMlpWeight>(own, layerNames),
        ...stacks,
      ];
    }
    default:
      return [...named(project, layerNames), ...named(outputAndMlp, layerNames), ...stacks];
  }
}

/** The weights of a layer's experts one after the other, `[experts, ...]`, and its other weights. */
function withoutExperts(weights: Weights<OutputAndMlpWeight>): { stacks: Tensor[]; outputAndMlp: Weights<OutputAndMlpWeight> } {
  const entries = Object.entries(weights as Readonly<Record<string, Weight>>);
  const stacks = ['gate', 'up', 'down'].flatMap((part) =>
    ['Weight', 'Bias'].flatMap((kind) => {
      const own = entries.filter(([name]) => name.startsWith('experts.') && name.endsWith(`${part}${kind}`)).map(([, weight]) => weight);
      if (own.length === 0) {
        return [];
      }
      return [tensorOf(`ffn_${part}_exps.${kind.toLowerCase()}`, { shape: [own.length, ...own[0].shape], data: stacked(...own).data })];
    }),
  );
  const rest = entries.filter(([name]) => !name.startsWith('experts.'));
  return { stacks, outputAndMlp: Object.fromEntries(rest) };
}

function named<Name extends string>(weights: Weights<Name>, names: Partial<Record<Name, string>>): Tensor[] {
  return (Object.entries(weights) as [Name, Weight][]).map(([key, weight]) => {
    const name = names[key];
    if (name === undefined) {
      throw new Error(`llama.cpp has no name for ${key}.`);
    }
    return tensorOf(name, weight);
  });
}

function tensorOf(name: string, { shape, data }: Weight): Tensor {
  return { name, shape: [...shape].reverse(), data };
}

/** Weights one below the other. */
function stacked(...weights: readonly (Weight | undefined)[]): Weight {
  const parts = weights.map((weight) => weight ?? missing());
  const rows = parts.reduce((sum, { shape }) => sum + shape[0], 0);
  const data = new Float32Array(parts.reduce((sum, part) => sum + part.data.length, 0));
  let at = 0;
  for (const part of parts) {
    data.set(part.data, at);
    at += part.data.length;
  }
  return { shape: [rows, ...parts[0].shape.slice(1)], data };
}

function multiplied({ shape, data }: Weight, factor: number): Weight {
  return { shape, data: data.map((x) => factor * x) };
}

function missing(): never {
  throw new Error('A model lacks a weight of its queries, keys or values.');
}

/** Rows of each head in the order 0, m/2, 1, m/2 + 1, ...: what was rotated as two halves is rotated as neighbours. */
function interleaved({ shape, data }: Weight, heads: number): Weight {
  const [rows, width = 1] = shape;
  const headWidth = rows / heads;
  const half = headWidth / 2;
  const result = new Float32Array(data.length);
  for (let row = 0; row < rows; row += 1) {
    const [head, column] = [Math.floor(row / headWidth), row % headWidth];
    const to = head * headWidth + (column < half ? 2 * column : 2 * (column - half) + 1);
    result.set(data.subarray(row * width, (row + 1) * width), to * width);
  }
  return { shape, data: result };
}

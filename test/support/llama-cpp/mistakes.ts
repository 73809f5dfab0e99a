import type { LoadedModel } from '../../../src/engine/read/model/load';
import type { RotaryEmbedding } from '../../../src/engine/read/model/rope';
import type { ProjectWeight, Weight } from '../../../src/engine/read/model/weights';

type Change<Part> = (part: Part) => Part;

/** A golden case, what is wrong with the model that is made of it, and how it is made. */
export type Mistake = readonly [of: string, mistake: string, make: Change<LoadedModel>];

const neighboursRotated: Change<LoadedModel> = (model) => {
  const order = evenRowsFirst(model.shape.headWidth);
  return withFirst(withFirst(model, 'queryWeight', order), 'keyWeight', order);
};
const otherEpsilon: Change<LoadedModel> = (model) => ({ ...model, norm: { ...model.norm, epsilon: 1e-5 } });
const widerWindow: Change<LoadedModel> = (model) => ({
  ...model,
  shape: { ...model.shape, attention: { kind: 'sliding-window', window: 9 } },
});
const noValueBias: Change<LoadedModel> = (model) => withFirst(model, 'valueBias', filledWith(0));
const plainKeyNorm: Change<LoadedModel> = (model) => withFirst(model, 'keyNormWeight', filledWith(1));
const noQueryBias: Change<LoadedModel> = (model) => withFirst(model, 'queryBias', filledWith(0));
const usualScores: Change<LoadedModel> = (model) => ({
  ...model,
  multipliers: { embedding: 1, residual: 1, logits: 1, ...model.multipliers, scores: 1 / Math.sqrt(model.shape.headWidth) },
});
const normsSwapped: Change<LoadedModel> = (model) => ({
  ...model,
  layers: model.layers.map(({ outputAndMlp: { attentionNormWeight, mlpNormWeight, ...rest }, ...layer }) => ({
    ...layer,
    outputAndMlp: {
      ...rest,
      ...(attentionNormWeight && mlpNormWeight && { attentionNormWeight: mlpNormWeight, mlpNormWeight: attentionNormWeight }),
    },
  })),
});
const halvesInTurn: Change<LoadedModel> = (model) => {
  const { parallelHalves, ...changed } = model;
  return parallelHalves === true ? changed : model;
};
const hardlyBent: Change<LoadedModel> = (model) => ({ ...model, shape: { ...model.shape, scoreCap: 50 } });
const plainRope = withRopes((rope) => rope && { ...rope, scaling: { type: 'none' } });
const wholeHeadsRotated = withRopes((rope, { shape }) => rope && { ...rope, columns: shape.headWidth });
const otherFactors = withLongropes((scaling) => ({ ...scaling, longFactors: scaling.shortFactors, shortFactors: scaling.longFactors }));
const unitSines = withLongropes((scaling) => ({ ...scaling, attentionFactor: 1 }));
const ropeOfFirstLayer = withRopes((_, { rotary }) => rotary?.[0]);
const plainLogits: Change<LoadedModel> = (model) => ({
  ...model,
  ...(model.multipliers && { multipliers: { ...model.multipliers, logits: 1 } }),
});
const logitsMoreBent: Change<LoadedModel> = (model) => ({ ...model, logitCap: 6 });
const noWindows: Change<LoadedModel> = (model) => ({ ...model, shape: { ...model.shape, attention: { kind: 'causal' } } });
const normByW: Change<LoadedModel> = (model) => ({
  ...model,
  layers: model.layers.map(({ outputAndMlp: { mlpOutputNormWeight: norm, ...rest }, ...layer }) => ({
    ...layer,
    outputAndMlp: { ...rest, ...(norm && { mlpOutputNormWeight: { ...norm, data: norm.data.map((x) => x - 1) } }) },
  })),
});
const oneExpert: Change<LoadedModel> = (model) => ({ ...model, experts: { chosen: 1, weights: 'of-chosen' } });
const expertsSwapped: Change<LoadedModel> = (model) =>
  withOutputs(model, ({ routerWeight, ...rest }) => ({
    ...rest,
    ...(routerWeight && { routerWeight: firstRowsSwapped(routerWeight) }),
  }));
const gatesSwapped: Change<LoadedModel> = (model) =>
  withOutputs(model, (weights) => ({
    ...weights,
    ...(weights['experts.0.gateWeight'] && { 'experts.0.upWeight': weights['experts.0.gateWeight'] }),
    ...(weights['experts.0.upWeight'] && { 'experts.0.gateWeight': weights['experts.0.upWeight'] }),
  }));
const noRouterBias: Change<LoadedModel> = (model) =>
  withOutputs(model, (weights) => ({ ...weights, ...(weights.routerBias && { routerBias: filledWith(0)(weights.routerBias) }) }));
const noSinks: Change<LoadedModel> = (model) => ({
  ...model,
  layers: model.layers.map(({ attend, ...layer }) => ({
    ...layer,
    attend: { ...attend, ...(attend.sinks && { sinks: filledWith(-1000)(attend.sinks) }) },
  })),
});
const windowOfOneMore: Change<LoadedModel> = (model) => {
  const { attention } = model.shape;
  return attention?.kind !== 'per-layer'
    ? model
    : {
        ...model,
        shape: {
          ...model.shape,
          attention: {
            ...attention,
            cycle: attention.cycle.map((layer) => (layer.kind === 'sliding-window' ? { ...layer, window: layer.window + 1 } : layer)),
          },
        },
      };
};

const slopesByLess: Change<LoadedModel> = (model) => ({
  ...model,
  ...(model.alibi && { alibi: { slopes: model.alibi.slopes.map((slope) => slope ** (7 / 8)) } }),
});
const noEmbeddingBias: Change<LoadedModel> = (model) => ({
  ...model,
  embedding: {
    ...model.embedding,
    ...(model.embedding.embeddingNormBias && { embeddingNormBias: filledWith(0)(model.embedding.embeddingNormBias) }),
  },
});

/** Models that a comparison must tell from those that they are made of: what one gets wrong in an architecture. */
export const mistakes: readonly Mistake[] = [
  ['llama', 'neighbouring columns rotated, not halves', neighboursRotated],
  ['llama-untied-bias', 'another epsilon in the norms', otherEpsilon],
  ['mistral', 'a window of one token more', widerWindow],
  ['qwen2-plain', 'no bias of values in a layer', noValueBias],
  ['qwen3', 'no weights in a norm of keys', plainKeyNorm],
  ['smollm3', 'neighbouring columns rotated, not halves', neighboursRotated],
  ['granite', 'scores by the root of the head width', usualScores],
  ['olmo2', 'the norms of the halves of a layer swapped', normsSwapped],
  ['phi3', 'the factors for shorter runs', otherFactors],
  ['phi4-mini', 'the factors for longer runs', otherFactors],
  ['phi4-mini', 'sines that are not scaled', unitSines],
  ['cohere2', 'neighbouring columns put apart twice', neighboursRotated],
  ['cohere2', 'logits that are not scaled', plainLogits],
  ['olmo3', 'a rope of global layers that is not extended', plainRope],
  ['gemma2', 'scores bent at 50, not at 5', hardlyBent],
  ['gemma3', 'scores by the root of the head width', usualScores],
  ['gemma3', 'a rope of global layers that is not extended', plainRope],
  ['gpt-neox', 'the halves of a layer one after the other', halvesInTurn],
  ['gpt-neox', 'whole heads rotated', wholeHeadsRotated],
  ['mixtral', 'one expert a token', oneExpert],
  ['mixtral', 'two experts swapped', expertsSwapped],
  ['qwen3-moe', 'one expert a token', oneExpert],
  ['gpt-oss', 'no learned sinks', noSinks],
  ['gpt-oss', 'a window of one token more', windowOfOneMore],
  ['gpt-oss', 'gate and factor of an expert swapped', gatesSwapped],
  ['gpt-oss', 'no bias in a router', noRouterBias],
  ['mpt', 'other slopes of scores', slopesByLess],
  ['bloom', 'no bias in the norm of the embedding', noEmbeddingBias],
  ['gpt2', 'no bias of queries in a layer', noQueryBias],
];

/** Mistakes that llama.cpp cannot be told to make, and that other comparisons must see. */
export const furtherMistakes: readonly Mistake[] = [
  ['olmo3', 'no windows', noWindows],
  ['cohere2', 'a rope on every layer', ropeOfFirstLayer],
  ['cohere2', 'no windows', noWindows],
  ['gemma2', 'logits bent at 6, not at 12', logitsMoreBent],
  ['gemma2', 'a norm by w', normByW],
  ['gemma3', 'one rope for all layers', ropeOfFirstLayer],
  ['gemma3', 'no windows', noWindows],
  ['gpt-neo', 'scores by the root of the head width', usualScores],
  ['gpt-neo', 'no windows', noWindows],
];

type Longrope = Extract<RotaryEmbedding['scaling'], { readonly type: 'longrope' }>;

/** A model with the rope of each layer changed. */
function withRopes(change: (rope: RotaryEmbedding | undefined, model: LoadedModel) => RotaryEmbedding | undefined): Change<LoadedModel> {
  return (model) => {
    const rotary = model.layers.map((layer) => change(layer.rotary, model));
    return { ...model, rotary, layers: model.layers.map((layer, index) => ({ ...layer, rotary: rotary[index] })) };
  };
}

function withLongropes(change: Change<Longrope>): Change<LoadedModel> {
  return withRopes((rope) => (rope?.scaling.type === 'longrope' ? { ...rope, scaling: change(rope.scaling) } : rope));
}

/** A model with one weight of its first layer changed. */
function withFirst(model: LoadedModel, name: ProjectWeight, change: Change<Weight>): LoadedModel {
  const [{ project, ...layer }, ...others] = model.layers;
  const weight = project[name];
  if (weight === undefined) {
    throw new Error(`${model.name} has no ${name}.`);
  }
  return { ...model, layers: [{ ...layer, project: { ...project, [name]: change(weight) } }, ...others] };
}

/** A model with the second half of its first layer changed. */
function withOutputs(model: LoadedModel, change: Change<LoadedModel['layers'][number]['outputAndMlp']>): LoadedModel {
  const [{ outputAndMlp, ...layer }, ...others] = model.layers;
  return { ...model, layers: [{ ...layer, outputAndMlp: change(outputAndMlp) }, ...others] };
}

function firstRowsSwapped({ shape: [rows, width], data }: Weight): Weight {
  const first = data.subarray(0, width);
  return { shape: [rows, width], data: Float32Array.from([...data.subarray(width, 2 * width), ...first, ...data.subarray(2 * width)]) };
}

function filledWith(value: number): Change<Weight> {
  return ({ shape, data }) => ({ shape, data: new Float32Array(data.length).fill(value) });
}

/** Rows of each head in the order 0, 2, ..., 1, 3, ...: for llama.cpp they are put back, and it rotates the checkpoint's neighbours. */
function evenRowsFirst(headWidth: number): Change<Weight> {
  const half = headWidth / 2;
  return ({ shape: [rows, width], data }) => {
    const result = new Float32Array(data.length);
    for (let row = 0; row < rows; row += 1) {
      const column = row % headWidth;
      const from = row - column + (column < half ? 2 * column : 2 * (column - half) + 1);
      result.set(data.subarray(from * width, (from + 1) * width), row * width);
    }
    return { shape: [rows, width], data: result };
  };
}

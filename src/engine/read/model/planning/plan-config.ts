import { english, said, text } from '../../../../core/l10n';
import * as z from 'zod';
import { type LayerScenario, ofLayers, type Scenario } from '../../../../core/scenario/scenario';
import { type LayerShape, type ModelShape, projectionParameters, valueWidthOf } from '../../../../core/shapes';
import { described, quoted } from '../../../../core/text/printable';
import type { ReadConfig } from '../architecture';
import { layers as layerCount, refuse, tokens, vocabulary, width } from '../architectures/fields';
import { ropeSource } from '../architectures/rope-fields';
import { checkOwnCode, classOf, type ConfigJson, judgeKeys } from '../keys';
import { kindsOf, withLayerConfigs } from '../layer-configs';
import { attentionShape, type AttentionShape, halfLayers, idleShape, localShape } from './attention';
import { feedForwards, type FeedForward } from './feed-forward';
import { FieldReader } from './field-reader';
import { gemma4Layers } from './gemma4';
import { type LayerMask, listedMasks, pickedMasks, windowMasks } from './masks';
import { classEndings, type ModelType } from './model-type';
import { modelTypes } from './model-types';
import { planningKeys } from './planning-keys';

const ignores = Object.fromEntries(planningKeys.flatMap(({ why, keys }) => keys.map((key) => [key, why])));

/** One layer: what it attends to and is made of. */
interface Layer {
  readonly mask: LayerMask;
  readonly attention: AttentionShape;
  readonly network: FeedForward;
}

/**
 * Reads the shape of a model that is planned and not run, of any model type.
 *
 * @param json the part of the configuration that describes text
 * @throws InputError that names the field that stops the plan
 */
export function planConfig(json: ConfigJson, modelType: string, path: string): ReadConfig {
  const known = Object.hasOwn(modelTypes, modelType) ? modelTypes[modelType] : undefined;
  const type = known ?? unknownType(json, modelType, path);
  if (known !== undefined) {
    classOf(json, [...classEndings.map((ending) => `${known.name}${ending}`), ...(known.classes ?? [])], path);
  }
  checkOwnCode(json, path, type.ownCode);
  const fields = new FieldReader(json, type.defaults ?? {}, path);
  if (type.stops !== undefined) {
    if (!fields.has(type.stops.key)) {
      refuse(path, `model_type ${quoted(modelType)}`, text('another model'));
    }
    fields.stop(type.stops.key, type.stops.why);
  }
  const count = fields.need(layerCount, 'num_hidden_layers', 'n_layer', 'n_layers', 'num_layers');
  const d = fields.need(width, 'hidden_size', 'n_embd', 'n_embed', 'd_model');
  const { layers, notes, picks } = layersOf(fields, count, d, type);
  if (layers.every(({ attention: { heads } }) => heads === 0)) {
    refuse(path, text('a model without attention'), text('a model of which some layers attend'));
  }
  const plain = type.plain === true;
  const shape: ModelShape = {
    ...kindsOf(layers.map((layer) => layerShape(layer, plain))),
    layers: count,
    width: d,
    vocabulary: fields.need(vocabulary, 'vocab_size'),
    attention: attentionOf(layers.map(({ mask }) => mask)),
    ...(picks && { picksKeys: true as const }),
    ...lengths(fields, type),
  };
  const parameters = parametersOf(layers, shape, fields, plain);
  const layered = withLayerConfigs({ ...shape, parameters }, json.per_layer_config, path);
  const rules = {
    reads: [...fields.keys, 'per_layer_config'],
    ignores: { ...ignores, ...type.ignores },
    neutral: {
      is_causal: [true],
      is_decoder: [true, false],
      position_embedding_type: ['absolute'],
      // The feed-forward network of an MPT that states another would not have 4 widths.
      expansion_ratio: [4],
      // Of Phi-4: all layers attend to everything, and nothing is interpolated.
      full_attn_mod: [1],
      interpolate_factor: [1],
    },
  };
  const found = judgeKeys(json, rules, path);
  return {
    modelType,
    shape: layered.shape,
    predicts: 'next',
    notes: [...(known === undefined ? [unknownNote(modelType)] : []), ...notes, ...found.notes],
    lacks: [english(type.has, modelType), ...found.planOnly],
    run: undefined,
  };
}

/** A model type that nobody wrote down, if its class is a decoder's, named after it. @throws InputError for any other */
function unknownType(json: ConfigJson, modelType: string, path: string): ModelType {
  const names: unknown[] = Array.isArray(json.architectures) ? json.architectures : [];
  const own = letters(modelType);
  const decoder = names.every(
    (name) => typeof name === 'string' && letters(/^(.*)(ForCausalLM|LMHeadModel)$/.exec(name)?.[1] ?? '') === own,
  );
  if (names.length === 0 || !decoder) {
    refuse(
      path,
      names.length === 0
        ? `model_type ${quoted(modelType)}`
        : said`model_type ${quoted(modelType)} with architectures ${described(names[0])}`,
      text('a model of a type that docs/models.md lists, or one whose class is its type with ForCausalLM'),
    );
  }
  const isLatent = json.kv_lora_rank !== undefined && json.kv_lora_rank !== null;
  return { name: '', windows: 'full', has: text('{0} has no reader for a run'), attention: { latent: isLatent } };
}

/** A name without what models and classes write in different ways. */
function letters(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '');
}

function unknownNote(modelType: string): string {
  return said`model_type ${quoted(modelType)} is not among those whose documentation was read: planned from its fields, as a decoder with causal attention where they say no more, and with gated feed-forward networks.`;
}

/** Every layer, what was assumed, and whether queries pick their keys. */
function layersOf(
  fields: FieldReader,
  count: number,
  d: number,
  type: ModelType,
): { readonly layers: readonly Layer[]; readonly notes: readonly string[]; readonly picks: boolean } {
  const picked = pickedMasks(fields, count);
  const masks: readonly LayerMask[] =
    picked?.masks ?? listedMasks(fields, count) ?? everyPth(fields, count, type) ?? windowMasks(fields, count, type.windows);
  const attention = attentionShape(fields, d, type.attention);
  const local = localShape(fields, attention);
  const networks = feedForwards(fields, count, type.plain === true ? 4 * d : undefined, type.experts);
  const halves = halfLayers(fields, count);
  if (type.gemma4 === true) {
    return { ...gemma4Layers(fields, d, masks, attention, networks), picks: false };
  }
  const idle = masks.includes(undefined) || halves !== undefined ? idleShape(fields, d, attention) : undefined;
  const layers = masks.map((mask, layer): Layer => {
    const half = halves?.[layer];
    const network = half === undefined || half === 'feed-forward' ? networks[layer] : { used: 0, stored: 0, experts: 0 };
    if (idle === undefined || (mask !== undefined && (half === undefined || half === 'attention'))) {
      return { mask, attention: mask?.kind === 'sliding-window' && picked === undefined ? local : attention, network };
    }
    // Of a half that is a feed-forward network there is nothing before it.
    return { mask: undefined, attention: half === 'feed-forward' ? { ...idle, projection: 0 } : idle, network };
  });
  return { layers, notes: [...(picked?.notes ?? []), ...idleNotes(layers)], picks: picked !== undefined };
}

/** Of a type of which every p-th layer attends; undefined for others, and where `layer_types` lists the layers. */
function everyPth(fields: FieldReader, count: number, { attendsEvery }: ModelType): readonly LayerMask[] | undefined {
  if (attendsEvery === undefined || fields.has('layer_types')) {
    return undefined;
  }
  const every = fields.maybe(layerCount, 'full_attention_interval') ?? attendsEvery;
  return Array.from({ length: count }, (_, layer) => ((layer + 1) % every === 0 ? { kind: 'causal' as const } : undefined));
}

function idleNotes(layers: readonly Layer[]): string[] {
  const idle = layers.filter(({ attention: { heads } }) => heads === 0);
  if (idle.length === 0) {
    return [];
  }
  const recurrent = idle.some(({ attention: { projection = 0 } }) => projection > 0);
  const what = recurrent
    ? text('their products are counted, and what mixes tokens in them is not')
    : text('what mixes tokens in them is not counted');
  return [said`${idle.length} of ${layers.length} layers have no attention over keys, and so no attention calls; ${what}.`];
}

function layerShape({ attention, network }: Layer, plain: boolean): LayerShape {
  return { ...attention, feedForwardWidth: network.used, ...(plain && { feedForward: 'plain' as const }) };
}

/** The masks as one scenario. Layers without attention have none; to keep the others in place, they are given that of the first that attends. */
function attentionOf(masks: readonly LayerMask[]): Scenario {
  const first = masks.find((mask) => mask !== undefined) as LayerScenario;
  return ofLayers(masks.map((mask) => mask ?? first));
}

/** Matrix elements of the whole checkpoint, with norms and without biases. */
function parametersOf(layers: readonly Layer[], { width: d, vocabulary: words }: ModelShape, fields: FieldReader, plain: boolean): number {
  const perInput = fields.maybe(z.number().int().nonnegative(), 'vocab_size_per_layer_input') ?? 0;
  const inputWidth = fields.maybe(z.number().int().nonnegative(), 'hidden_size_per_layer_input') ?? 0;
  const tables = words * d * (fields.flag('tie_word_embeddings') ? 1 : 2) + perInput * inputWidth * layers.length;
  const matrices = layers.map(({ attention, network }) => {
    const own = { ...attention, feedForwardWidth: 0, width: d };
    const output = d * valueWidthOf(own) * attention.heads;
    return projectionParameters(own) + output + (plain ? 2 : 3) * d * network.stored + d * network.experts + 2 * d;
  });
  return matrices.reduce((sum, own) => sum + own, tables + d);
}

/** How many tokens the model was trained to read, and how many positions it has. */
function lengths(fields: FieldReader, type: ModelType): Pick<ModelShape, 'trainedTokens' | 'maximumTokens'> {
  const names = ['max_position_embeddings', 'n_positions', 'max_sequence_length', 'seq_length', 'max_seq_len', 'n_ctx'];
  const stated = fields.maybe(tokens, ...names);
  if (stated === undefined) {
    return {};
  }
  if (type.learnedPositions === true) {
    return { trainedTokens: stated, maximumTokens: stated };
  }
  return { trainedTokens: type.extended === true ? stated : scaledLength(fields, stated) };
}

const scaling = z.looseObject({
  rope_type: z.string().optional(),
  type: z.string().optional(),
  factor: z.number().positive().max(1e6).optional(),
  original_max_position_embeddings: tokens.optional(),
});

/** `trainedLength` of `rope.ts`, for any kind of scaling: those that are not known there state the length itself. */
function scaledLength(fields: FieldReader, stated: number): number {
  const { json } = ropeSource({
    rope_scaling: fields.maybe(z.unknown(), 'rope_scaling'),
    rope_parameters: fields.maybe(z.unknown(), 'rope_parameters'),
  });
  const rope = scaling.safeParse(json);
  if (!rope.success || rope.data.factor === undefined) {
    return stated;
  }
  const { factor, original_max_position_embeddings: original = stated } = rope.data;
  switch (rope.data.rope_type ?? rope.data.type) {
    case 'yarn':
      return Math.max(1, Math.floor(factor * original));
    case 'dynamic':
    case 'linear':
      return Math.max(1, Math.floor(factor * stated));
    default:
      return stated;
  }
}

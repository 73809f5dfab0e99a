import * as z from 'zod';
import { text } from '../../../core/l10n';
import { type LayerKind, type LayerShape, type ModelShape, outputAndMlpParameters, projectionParameters } from '../../../core/shapes';
import { checkHeads, readFields, width } from './architectures/fields';

/** What one layer may have in another way than the others, by transformers 5's `per_layer_config`. */
const layerSchema = z.strictObject({
  num_attention_heads: width.optional(),
  num_key_value_heads: width.optional(),
  head_dim: width.optional(),
  intermediate_size: width.optional(),
});

const schema = z.record(z.string().regex(/^\d{1,4}$/, text('is no number of a layer')), layerSchema);

/**
 * A shape with the layers that `per_layer_config` describes apart, which are planned and not run.
 *
 * @param json the field; null or undefined leaves the shape as it is
 * @throws InputError for a layer that does not exist, or a field of it that is not known
 */
export function withLayerConfigs(
  shape: ModelShape,
  json: unknown,
  path: string,
): { readonly shape: ModelShape; readonly lacks: readonly string[] } {
  if (json === undefined || json === null || (typeof json === 'object' && Object.keys(json).length === 0)) {
    return { shape, lacks: [] };
  }
  const own = readFields(
    schema.refine(
      (layers) => Object.keys(layers).every((layer) => Number(layer) < shape.layers),
      text('names a layer that does not exist'),
    ),
    json,
    `${path}: per_layer_config`,
  );
  const shapes = layerShapes(shape).map((layer, index): LayerShape => {
    const { num_attention_heads, num_key_value_heads, head_dim, intermediate_size } = own[String(index)] ?? {};
    const changed = {
      ...layer,
      ...(num_attention_heads !== undefined && { heads: num_attention_heads }),
      ...(num_key_value_heads !== undefined && { keyValueHeads: num_key_value_heads }),
      ...(head_dim !== undefined && { headWidth: head_dim }),
      ...(intermediate_size !== undefined && { feedForwardWidth: intermediate_size }),
    };
    checkHeads(changed, path, false);
    return changed;
  });
  return { shape: shapeOfLayers(shape, shapes), lacks: [text('per_layer_config makes layers differ, which a run does not know')] };
}

/** The shape of each layer. */
function layerShapes({
  kinds,
  layers,
  heads,
  keyValueHeads,
  headWidth,
  valueWidth,
  feedForwardWidth,
  feedForward,
  projection,
  cacheWidth,
}: ModelShape): LayerShape[] {
  const common = {
    ...{ heads, keyValueHeads, headWidth, feedForwardWidth },
    ...(valueWidth !== undefined && { valueWidth }),
    ...(feedForward !== undefined && { feedForward }),
    ...(projection !== undefined && { projection }),
    ...(cacheWidth !== undefined && { cacheWidth }),
  };
  const all = Array.from({ length: layers }, (): LayerShape => common);
  for (const { layers: own, ...kind } of kinds ?? []) {
    own.forEach((layer) => (all[layer] = kind));
  }
  return all;
}

/** The elements of a layer's matrices that a token is multiplied with. */
function elements(layer: LayerShape, { width: d }: Pick<ModelShape, 'width'>): number {
  return projectionParameters({ ...layer, width: d }) + outputAndMlpParameters({ ...layer, width: d });
}

/** A model's shape with these layers in place of its own; the parameters change by as many as the layers' matrices do. */
function shapeOfLayers(shape: ModelShape, layers: readonly LayerShape[]): ModelShape {
  const before = layerShapes(shape);
  const parameters = layers.reduce(
    (sum, layer, index) => sum + elements(layer, shape) - elements(before[index], shape),
    shape.parameters ?? 0,
  );
  return { ...shape, ...kindsOf(layers), parameters };
}

/**
 * The fields of a model's shape that say what its layers are.
 *
 * @param layers one for each layer; at least one attends
 */
export function kindsOf(layers: readonly LayerShape[]): LayerShape & Pick<ModelShape, 'kinds'> {
  const kinds = new Map<string, LayerShape & { readonly layers: number[] }>();
  layers.forEach((layer, index) => {
    const key = JSON.stringify(Object.entries(layer).sort());
    const known = kinds.get(key);
    if (known === undefined) {
      kinds.set(key, { ...layer, layers: [index] });
    } else {
      known.layers.push(index);
    }
  });
  const all: LayerKind[] = [...kinds.values()];
  const first = layers.find(({ heads }) => heads > 0) ?? layers[0];
  return all.length === 1 ? first : { ...first, kinds: all };
}

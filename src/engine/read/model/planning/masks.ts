import { said, text } from '../../../../core/l10n';
import * as z from 'zod';
import type { LayerScenario } from '../../../../core/scenario/scenario';
import { quoted } from '../../../../core/text/printable';
import { layers as layerCount, refuse, tokens } from '../architectures/fields';
import type { FieldReader } from './field-reader';

/** What a layer attends to: keys of a mask; undefined in a layer without attention. */
export type LayerMask = LayerScenario | undefined;

/**
 * How a model type says which layers have a window:
 *
 * - `full`: none has;
 * - `window`: all, if `sliding_window` is set;
 * - `qwen`: with `use_sliding_window`, those from `max_window_layers` on;
 * - `chunks`: those with rope have chunks of `attention_chunk_size`, the others (every fourth, or by `no_rope_layers`) none;
 * - a number p: all but every p-th, which is also what `sliding_window_pattern` says.
 *
 * Where `layer_types` lists the layers, it counts.
 */
export type WindowRule = 'full' | 'window' | 'qwen' | 'chunks' | number;

/** What the masks of a model are, and what was assumed. */
export interface Masks {
  readonly masks: readonly LayerMask[];
  readonly notes: readonly string[];
}

const causal: LayerScenario = { kind: 'causal' };

/** Words of `layer_types` for layers that have no attention over keys. */
const idleTypes = new Set(['linear_attention', 'mamba', 'mamba2', 'recurrent', 'conv', 'kda', 'gdn', 'moe', 'mlp']);

/** Queries and keys of one chunk see each other. */
function chunked(size: number): LayerScenario {
  return { kind: 'custom', expression: `k <= q and q // ${size} == k // ${size}` };
}

/**
 * The mask of every layer by windows, chunks and lists.
 *
 * @throws InputError that names a field which is not known
 */
export function windowMasks(fields: FieldReader, layers: number, rule: WindowRule): readonly LayerMask[] {
  const types = fields.perLayer(z.string(), 'layer_types', layers);
  const window = (): LayerScenario => windowOf(fields);
  if (types !== undefined) {
    // What these say is in the list already.
    for (const name of [
      'use_sliding_window',
      'max_window_layers',
      'sliding_window_pattern',
      'full_attention_interval',
      '_sliding_window_pattern',
    ]) {
      fields.maybe(z.unknown(), name);
    }
    const masks = types.map((type) => maskOfType(type, fields));
    if (!types.some((type) => type.startsWith('sliding'))) {
      fields.maybe(z.unknown(), 'sliding_window');
    }
    return masks;
  }
  const every = (slides: (layer: number) => boolean): LayerMask[] =>
    Array.from({ length: layers }, (_, layer) => (slides(layer) ? window() : causal));
  if (typeof rule === 'number') {
    const pattern = fields.maybe(z.number().int().positive(), 'sliding_window_pattern', '_sliding_window_pattern', 'layer_switch') ?? rule;
    return every((layer) => (layer + 1) % pattern !== 0);
  }
  switch (rule) {
    case 'full':
      return every(() => false);
    case 'window':
      return every(() => fields.maybe(tokens, 'sliding_window') !== undefined);
    case 'chunks': {
      const rotated = fields.perLayer(z.number().int().min(0).max(1), 'no_rope_layers', layers);
      const every4th = fields.maybe(layerCount, 'no_rope_layer_interval') ?? 4;
      const size = fields.maybe(tokens, 'attention_chunk_size');
      return Array.from({ length: layers }, (_, layer) => {
        const rotates = rotated === undefined ? (layer + 1) % every4th !== 0 : rotated[layer] === 1;
        return rotates && size !== undefined ? chunked(size) : causal;
      });
    }
    case 'qwen': {
      const used = fields.flag('use_sliding_window');
      const first = fields.maybe(z.number().int().nonnegative(), 'max_window_layers') ?? 28;
      // A window that is not used says nothing.
      const given = fields.maybe(tokens, 'sliding_window');
      return every((layer) => used && given !== undefined && layer >= first);
    }
  }
}

function windowOf(fields: FieldReader): LayerScenario {
  return { kind: 'sliding-window', window: fields.need(tokens, 'sliding_window') };
}

function maskOfType(type: string, fields: FieldReader): LayerMask {
  if (idleTypes.has(type)) {
    return undefined;
  }
  switch (type) {
    case 'full_attention':
    case 'attention':
    case 'global_attention':
      return causal;
    case 'sliding_attention':
    case 'local_attention':
      return windowOf(fields);
    case 'chunked_attention':
      return chunked(fields.need(tokens, 'attention_chunk_size'));
    default:
      return refuse(fields.path, `layer_types ${quoted(type)}`, text('a model whose kinds of attention are known'));
  }
}

/** The masks of a model whose queries each pick a number of keys, which only a run knows. */
export function pickedMasks(fields: FieldReader, layers: number): Masks | undefined {
  const picked = fields.maybe(tokens, 'index_topk');
  if (picked === undefined) {
    return undefined;
  }
  const heads = fields.need(z.number().int().positive(), 'index_n_heads');
  const width = fields.need(z.number().int().positive(), 'index_head_dim');
  return {
    masks: Array.from({ length: layers }, () => ({ kind: 'sliding-window' as const, window: picked })),
    notes: [
      said`A query reads the ${picked} keys that its indexer picks (index_topk), which only a run knows: planned as the last ${picked} keys. Keys that queries of a block pick apart need more tiles, up to those of causal attention.`,
      said`The indexer's own scores (${heads} heads of ${width}, over all earlier keys) are not counted.`,
    ],
  };
}

/** The masks of models that list their layers in a way of their own, by numbers: MiMo-V2 and MiniMax. */
export function listedMasks(fields: FieldReader, layers: number): readonly LayerMask[] | undefined {
  const slides = fields.perLayer(z.number().int().min(0).max(1), 'hybrid_layer_pattern', layers);
  if (slides !== undefined) {
    const window = fields.need(tokens, 'sliding_window', 'sliding_window_size');
    return slides.map((local) => (local === 1 ? { kind: 'sliding-window', window } : causal));
  }
  const numbers = fields.perLayer(z.number().int().min(0).max(1), 'attn_type_list', layers);
  if (numbers !== undefined) {
    return numbers.map((softmax) => (softmax === 1 ? causal : undefined));
  }
  return undefined;
}

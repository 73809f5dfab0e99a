import { formatBytes } from '../format';
import { t } from '../l10n';
import { keptTokens, looksAhead } from '../scenario/scenario';
import { cacheWidthOf, keyValueHeadOf, type ModelShape } from '../shapes';
import { isNativePlan, layerParts, type Plan, type PlanPart } from './plan';
import { weightBytes } from './weight-bytes';

/** Bytes of a number of a cache, by format; those of int8 without its scales. */
export const cacheFormats = { f32: 4, f16: 2, bf16: 2, int8: 1 } as const;
export type CacheFormat = keyof typeof cacheFormats;

/** The key-value cache of a prompt: what a model keeps of it to continue it. */
export interface CacheReport {
  /** Of each kind of layer that keeps something, and of key-value heads apart that keep more than others. */
  readonly kinds: readonly {
    readonly layers: number;
    /** Tokens whose keys and values later queries can see. */
    readonly tokens: number;
    /** Numbers of one token in one layer. */
    readonly width: number;
  }[];
  readonly bytes: Readonly<Record<CacheFormat, number>>;
}

/** The cache after a plan's prompt under its masks; null where queries see later keys, so that nothing is kept. */
export function cacheOf(plan: Plan): CacheReport | null {
  const { tokens, model } = plan;
  if (looksAhead(plan.scenario, tokens)) {
    return null;
  }
  const picks = model.picksKeys === true && isNativePlan(plan);
  const kinds = layerParts(plan)
    .flatMap((part, _, parts) => {
      const { layers, heads, plan: own } = part;
      return heads === undefined
        ? [{ layers: layers.length, tokens: picks ? tokens : keptTokens(own.scenario, tokens), width: cacheWidthOf(own.model) }]
        : own.within?.counted === true
          ? ofKeyHeads(part, parts, tokens)
          : [];
    })
    .filter(({ width }) => width > 0);
  const numbers = kinds.reduce((sum, kind) => sum + kind.layers * kind.tokens * kind.width, 0);
  const { f32, f16, bf16, int8 } = cacheFormats;
  return { kinds, bytes: { f32: f32 * numbers, f16: f16 * numbers, bf16: bf16 * numbers, int8: int8 * numbers } };
}

/** What layers keep whose heads differ: a key-value head what any of its query heads can see. */
function ofKeyHeads({ layers, plan }: PlanPart, parts: readonly PlanPart[], tokens: number): CacheReport['kinds'] {
  const model = plan.within?.model ?? plan.model;
  const kept = Array.from({ length: model.keyValueHeads }, () => 0);
  for (const { heads = [], plan: own } of parts.filter((part) => part.layers[0] === layers[0])) {
    for (const head of heads) {
      const keyHead = keyValueHeadOf(model, head);
      kept[keyHead] = Math.max(kept[keyHead], keptTokens(own.scenario, tokens));
    }
  }
  const width = cacheWidthOf(model) / model.keyValueHeads;
  return [...new Set(kept)].map((own) => ({
    layers: layers.length,
    tokens: own,
    width: width * kept.filter((other) => other === own).length,
  }));
}

/** What stands behind the bytes of a cache in 16 bits: which those are, and its bytes in the other formats that people keep it in. */
export function cacheDetail({ bytes: { f32, int8 } }: CacheReport): string {
  return t('in float16 or bfloat16, {0} in float32, {1} in int8', formatBytes(f32), formatBytes(int8));
}

/** What stands behind the bytes of a model's files: which those are, and the bytes of its weights in a run. */
export function weightsDetail(model: ModelShape): string {
  return t('as stored, {0} in a run', formatBytes(weightBytes(model)));
}

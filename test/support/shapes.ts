import type { Construction } from '../../src/core/construct/construction';
import { planRequest } from '../../src/core/plan/request';
import { defaultOptions } from '../../src/core/options/options';
import { planLayers, type LayerPlan } from '../../src/core/plan/plan';
import type { ModelShape } from '../../src/core/shapes';
import type { Setting } from './arbitrary';

/** A small model with grouped-query attention. */
export const smallModel: ModelShape = {
  layers: 3,
  heads: 4,
  keyValueHeads: 2,
  headWidth: 6,
  width: 16,
  feedForwardWidth: 20,
  vocabulary: 50,
};

/** The plan of a setting on a model. */
export function planOf(
  { tokens, blockSize, scenario }: Setting,
  oracle: { layers?: number; heads?: number } = {},
  model = smallModel,
  construction: Construction = 'fused',
): LayerPlan {
  const request = planRequest(tokens, model, {
    ...defaultOptions,
    blockSize,
    scenario,
    construction,
    oracleLayers: oracle.layers,
    oracleHeads: oracle.heads,
  });
  return planLayers({ ...request, scenario });
}

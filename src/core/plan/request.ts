import { isBlackBox, needsCausalOracle } from '../constructions';
import type { SimulationOptions } from '../options';
import type { ModelShape } from '../shapes';
import type { PlanRequest } from './plan';

/** The choices among the options that shape a plan. */
export type PlanOptions = Pick<SimulationOptions, 'scenario' | 'blockSize' | 'construction' | 'oracleLayers' | 'oracleHeads'>;

/** What options ask of a prompt of N tokens on a model of this shape. */
export function planRequest(tokens: number, model: ModelShape, options: PlanOptions): PlanRequest {
  return {
    tokens,
    model,
    scenario: options.scenario,
    construction: options.construction,
    oracle: {
      inputLength: options.blockSize,
      layers: options.oracleLayers ?? 1,
      heads: options.oracleHeads ?? model.heads,
      // The mask goes in with each call of `fused`: that oracle has none of its own.
      causal: isBlackBox(options.construction) && needsCausalOracle(options.scenario),
    },
  };
}

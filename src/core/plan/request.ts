import { isBlackBox, needsCausalOracle } from '../construct/construction';
import type { SimulationOptions } from '../options/options';
import { nativeScenario, type ModelShape } from '../shapes';
import type { PlanRequest } from './plan';

/** The choices among the options that shape a plan. */
type PlanOptions = Pick<SimulationOptions, 'scenario' | 'blockSize' | 'construction' | 'oracleLayers' | 'oracleHeads'>;

/** What options ask of a prompt of N tokens on a model of this shape. */
export function planRequest(tokens: number, model: ModelShape, options: PlanOptions): PlanRequest {
  const scenario = options.scenario.kind === 'native' ? nativeScenario(model) : options.scenario;
  return {
    tokens,
    model,
    scenario,
    construction: options.construction,
    oracle: {
      inputLength: options.blockSize,
      layers: options.oracleLayers ?? 1,
      heads: options.oracleHeads ?? model.heads,
      // The mask goes in with each call of `fused`: that oracle has none of its own.
      causal: isBlackBox(options.construction) && scenario.kind !== 'per-layer' && needsCausalOracle(scenario),
    },
  };
}

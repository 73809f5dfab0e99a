import { type Construction, isBlackBox, needsCausalOracle } from '../construct/construction';
import { InputError } from '../errors';
import type { SimulationOptions } from '../options/options';
import { layerGroups, type LayerScenario, type Scenario, scenarioLabel } from '../scenario/scenario';
import { type ModelShape, nativeScenario, type OracleShape } from '../shapes';

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

/** What is to be planned. */
export interface PlanRequest {
  /** N. */
  readonly tokens: number;
  readonly model: ModelShape;
  readonly scenario: Scenario;
  readonly oracle: OracleShape;
  readonly construction: Construction;
  /** Memory that the scores of one native run may take, in bytes, as calibration found it best; else a default. */
  readonly scoreBytes?: number | undefined;
}

/** What is to be planned for layers that are all alike. */
export type LayerPlanRequest = PlanRequest & { readonly scenario: LayerScenario };

/** The requests that a request is for each kind of layer. */
export function layerRequests({
  scenario,
  model,
  ...request
}: PlanRequest): readonly (PlanRequest & { readonly scenario: LayerScenario })[] {
  return layerGroups(scenario, model.layers).map((group) => ({
    ...request,
    scenario: group.scenario,
    model: { ...model, layers: group.layers.length },
  }));
}

/** @throws InputError for a black-box construction of layers that differ */
export function checkUniform({ construction, scenario }: Pick<PlanRequest, 'construction' | 'scenario'>): void {
  if (isBlackBox(construction)) {
    throw new InputError(
      `Construction "${construction}" runs one scenario in all layers, not ${scenarioLabel(scenario)}; use construction fused.`,
    );
  }
}

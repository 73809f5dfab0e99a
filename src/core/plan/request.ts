import { type Construction, isBlackBox } from '../construct/construction';
import { InputError } from '../errors';
import { defaultOptions, type SimulationOptions } from '../options/table';
import { layerGroups, type LayerScenario, needsCausalOracle, type Scenario, scenarioLabel } from '../scenario/scenario';
import { type ModelShape, nativeScenario, type OracleShape } from '../shapes';

/** The options that shape a plan. */
export type PlanOptions = Pick<SimulationOptions, 'scenario' | 'blockSize' | 'construction'> &
  Partial<Pick<SimulationOptions, 'oracleLayers' | 'oracleHeads'>>;

/** The request for a prompt of N tokens on a model of this shape, from options. */
export function planRequest(tokens: number, model: ModelShape, options: PlanOptions): PlanRequest {
  const scenario = options.scenario.kind === 'native' ? nativeScenario(model) : options.scenario;
  return {
    tokens,
    model,
    scenario,
    construction: options.construction,
    oracle: {
      inputLength: options.blockSize,
      layers: options.oracleLayers ?? defaultOptions.oracleLayers,
      // 0 means as many as the model has.
      heads: options.oracleHeads || model.heads,
      // Under `fused` the mask is an input of each call, so the oracle needs none of its own.
      causal: isBlackBox(options.construction) && scenario.kind !== 'per-layer' && needsCausalOracle(scenario),
    },
  };
}

/** Everything that planning needs. */
export interface PlanRequest {
  /** N. */
  readonly tokens: number;
  readonly model: ModelShape;
  readonly scenario: Scenario;
  readonly oracle: OracleShape;
  readonly construction: Construction;
  /** Memory for the scores of one native run, in bytes; the best found by calibration, or else a default. */
  readonly scoreBytes?: number | undefined;
}

/** A request in which all layers have one scenario. */
export type LayerPlanRequest = PlanRequest & { readonly scenario: LayerScenario };

/** The request for each kind of layer. */
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

/** @throws InputError for a black-box construction if layers differ */
export function checkUniform({ construction, scenario }: Pick<PlanRequest, 'construction' | 'scenario'>): void {
  if (isBlackBox(construction)) {
    throw new InputError(
      `Construction "${construction}" runs one scenario in all layers, not ${scenarioLabel(scenario)}; use construction fused.`,
    );
  }
}

import { type Construction, isBlackBox } from '../construct/construction';
import { InputError } from '../errors';
import { defaultOptions, type SimulationOptions } from '../options/table';
import { layerGroups, type LayerScenario, needsCausalOracle, type Scenario, scenarioLabel } from '../scenario/scenario';
import { type LayerShape, type ModelShape, nativeScenario, type OracleShape } from '../shapes';

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
      causal:
        isBlackBox(options.construction) &&
        scenario.kind !== 'per-layer' &&
        needsCausalOracle(scenario, { construction: options.construction, tokens, inputLength: options.blockSize }),
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

/** Whether a request is one for all layers: they have one scenario, and are alike in all else. */
export function isOneKind(request: PlanRequest): request is LayerPlanRequest {
  return request.scenario.kind !== 'per-layer' && request.model.kinds === undefined;
}

/** Layers of a request that are alike, scenario included. */
interface LayerRequest {
  /** 0-based, ascending. */
  readonly layers: readonly number[];
  /** As if the model had only these layers. */
  readonly request: LayerPlanRequest;
}

/** The request for each kind of layer under each scenario, in the order of their first layers. */
export function layerRequests({ scenario, model: { kinds, ...model }, ...request }: PlanRequest): readonly LayerRequest[] {
  const shapes = kinds ?? [undefined];
  return layerGroups(scenario, model.layers)
    .flatMap((group) =>
      shapes.map((kind) => ({ ...group, kind, layers: kind === undefined ? group.layers : common(group.layers, kind.layers) })),
    )
    .filter(({ layers }) => layers.length > 0)
    .sort((one, other) => one.layers[0] - other.layers[0])
    .map(({ scenario: own, kind, layers }) => ({
      layers,
      request: { ...request, scenario: own, model: { ...withLayer(model, kind), layers: layers.length } },
    }));
}

function common(one: readonly number[], other: readonly number[]): number[] {
  const known = new Set(other);
  return one.filter((layer) => known.has(layer));
}

/** A model of which every layer is of one kind. */
function withLayer(model: ModelShape, kind: LayerShape | undefined): ModelShape {
  if (kind === undefined) {
    return model;
  }
  // What a kind leaves out has its default, not the value of another kind.
  const rest: { -readonly [Field in keyof ModelShape]: ModelShape[Field] } = { ...model };
  delete rest.valueWidth;
  delete rest.feedForward;
  delete rest.projection;
  delete rest.cacheWidth;
  return { ...rest, ...kind, layers: model.layers };
}

/**
 * @throws InputError for a black-box construction if layers differ in shape, values are not as wide as keys, or scores are bent; under
 * `paper` also if layers have several scenarios
 */
export function checkUniform({ construction, scenario, model }: Pick<PlanRequest, 'construction' | 'scenario' | 'model'>): void {
  if (!isBlackBox(construction)) {
    return;
  }
  if (model.scoreCap !== undefined) {
    throw new InputError(
      `Construction "${construction}" reads plain scores, and this model bends them to at most ${model.scoreCap}; use construction fused.`,
    );
  }
  if (scenario.kind === 'per-layer' && construction === 'paper') {
    throw new InputError(
      `Construction "paper" runs one scenario in all layers, not ${scenarioLabel(scenario)}; use construction tight or fused.`,
    );
  }
  if (model.kinds !== undefined || (model.valueWidth ?? model.headWidth) !== model.headWidth) {
    throw new InputError(
      `Construction "${construction}" is for layers that are all alike, with values as wide as keys, and those of this model are not; use construction fused.`,
    );
  }
}

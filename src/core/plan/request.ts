import { type Construction, isBlackBox } from '../construct/construction';
import { InputError } from '../errors';
import { defaultOptions, type SimulationOptions } from '../options/table';
import { headsOf, isCycle, layerGroups, type LayerScenario, needsCausalOracle, type Scenario, scenarioLabel } from '../scenario/scenario';
import { keyValueHeadOf, type LayerShape, type ModelShape, nativeScenario, type OracleShape } from '../shapes';

/** The options that shape a plan. */
export type PlanOptions = Pick<SimulationOptions, 'scenario' | 'blockSize' | 'construction'> &
  Partial<Pick<SimulationOptions, 'oracleLayers' | 'oracleHeads'>> &
  Pick<PlanRequest, 'restarts'>;

/** The request for a prompt of N tokens on a model of this shape, from options. */
export function planRequest(tokens: number, model: ModelShape, options: PlanOptions): PlanRequest {
  const scenario = options.scenario.kind === 'native' ? nativeScenario(model) : options.scenario;
  return {
    tokens,
    model,
    scenario,
    construction: options.construction,
    ...(options.restarts && { restarts: options.restarts }),
    oracle: {
      inputLength: options.blockSize,
      layers: options.oracleLayers ?? defaultOptions.oracleLayers,
      // 0 means as many as the model has.
      heads: options.oracleHeads || model.heads,
      // Under `fused` the mask is an input of each call, so the oracle needs none of its own.
      causal:
        isBlackBox(options.construction) &&
        !isCycle(scenario) &&
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
  /** Tokens at which the model's positions begin again with 0, ascending, 0 first; absent where they go through the prompt. */
  readonly restarts?: readonly number[];
  /** Memory for the scores of one native run, in bytes; the best found by calibration, or else a default. */
  readonly scoreBytes?: number | undefined;
}

/** A request in which all layers have one scenario, for all their heads or for some. */
export type LayerPlanRequest = PlanRequest & { readonly scenario: LayerScenario; readonly within?: WholeLayers };

/** The layers of which a request is for some heads, as if they had no others: what is done once for all heads is of one such request. */
interface WholeLayers {
  readonly model: ModelShape;
  /** Whether work that all heads share, token by token, is counted here. */
  readonly counted: boolean;
}

/** Whether a request is one for all layers: they have one scenario, and are alike in all else. */
export function isOneKind(request: PlanRequest): request is LayerPlanRequest {
  return !isCycle(request.scenario) && request.model.kinds === undefined;
}

/** Layers of a request that are alike, scenario included, or heads of them. */
interface LayerRequest {
  /** 0-based, ascending. */
  readonly layers: readonly number[];
  /** Query heads, 0-based and ascending; absent where they are all. */
  readonly heads?: readonly number[];
  /** As if the model had only these layers, and only these heads. */
  readonly request: LayerPlanRequest;
}

/** The request for each kind of layer under each scenario, and for heads apart that have their own, in the order of their first layers. */
export function layerRequests({ scenario, model: { kinds, ...model }, ...request }: PlanRequest): readonly LayerRequest[] {
  const shapes = kinds ?? [undefined];
  const found = layerGroups(scenario, model.layers)
    .flatMap((group) =>
      shapes.map((kind) => ({ ...group, kind, layers: kind === undefined ? group.layers : common(group.layers, kind.layers) })),
    )
    .filter(({ layers }) => layers.length > 0)
    .sort((one, other) => one.layers[0] - other.layers[0])
    .map(({ scenario: own, share, kind, layers }) => {
      const shape = { ...withLayer(model, kind), layers: layers.length };
      return { own, share, shape, layers, heads: headsOf(share, shape.heads) };
    });
  /** Layers whose work token by token is counted, by the first of them. */
  const counted = new Set<number>();
  return found.flatMap(({ own, share, shape, layers, heads }): LayerRequest[] => {
    const isFirst = !counted.has(layers[0]);
    if (heads.length === 0 && !(isFirst && shape.heads === 0)) {
      return [];
    }
    counted.add(layers[0]);
    if (share === undefined || heads.length === shape.heads) {
      return [{ layers, request: { ...request, scenario: own, model: shape } }];
    }
    const keyHeads = new Set(heads.map((head) => keyValueHeadOf(shape, head)));
    const some = { ...shape, heads: heads.length, keyValueHeads: keyHeads.size };
    return [{ layers, heads, request: { ...request, scenario: own, model: some, within: { model: shape, counted: isFirst } } }];
  });
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
 * `paper` also if layers or heads have several scenarios
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
  if (isCycle(scenario) && construction === 'paper') {
    throw new InputError(
      `Construction "paper" runs one scenario in all layers and heads, not ${scenarioLabel(scenario)}; use construction tight or fused.`,
    );
  }
  if (model.kinds !== undefined || (model.valueWidth ?? model.headWidth) !== model.headWidth) {
    throw new InputError(
      `Construction "${construction}" is for layers that are all alike, with values as wide as keys, and those of this model are not; use construction fused.`,
    );
  }
}

import { layerGroups, maskOf, StepBudget } from '../scenario/scenario';
import { blackBoxCost, blackBoxLayout, fusedCost } from './attention-cost';
import { blackBoxBound, type Bound, boundOf, joinBounds } from './bound';
import { costOf, type PlanCost, sumCosts } from './cost';
import { checkBlockSize, partition } from './partition';
import { checkUniform, type LayerPlanRequest, layerRequests, type PlanRequest } from './request';
import { tileTotal } from './tiles';

/** The costs that a plan would have. */
export interface RequestCost extends PlanCost {
  /** T. */
  readonly blocks: number;
  readonly bound: Bound;
}

/**
 * The costs and the bound of `makePlan(request)`, without its tiles: fast at any N, for curves over N and comparisons.
 *
 * @throws InputError like `makePlan`
 */
export function requestCost(request: PlanRequest): RequestCost {
  const { scenario } = request;
  if (scenario.kind !== 'per-layer') {
    return layerCost({ ...request, scenario }, new StepBudget());
  }
  checkUniform(request);
  const groups = layerGroups(scenario, request.model.layers);
  const budget = new StepBudget();
  const costs = layerRequests(request).map((part) => layerCost(part, budget));
  const parts = costs.map(({ bound }, index) => ({ layers: groups[index].layers, plan: { bound } }));
  return { ...sumCosts(request, costs), blocks: costs[0].blocks, bound: joinBounds(parts) };
}

/** @param budget for masks that the user wrote */
function layerCost(request: LayerPlanRequest, budget: StepBudget): RequestCost {
  const { tokens, scenario, oracle } = request;
  checkBlockSize(oracle.inputLength);
  const layout = blackBoxLayout(request);
  const { blocks, blockSize } = partition(tokens, layout?.arrangement.blockSize ?? oracle.inputLength);
  const visiblePairs = maskOf(scenario, tokens, budget).visiblePairs();
  if (layout === undefined) {
    const attention = fusedCost(request, tileTotal(scenario, tokens, blockSize, budget));
    return { ...costOf({ ...request, attention, visiblePairs }), blocks, bound: boundOf(request, blocks) };
  }
  const { arrangement, construction } = layout;
  // Terms are patterns of different kinds of call, at most two; only their counts matter here, not which is which.
  const [causal, open = 0] = arrangement.formula.map(({ patterns }) => patterns);
  const attention = blackBoxCost(request, layout, { causal, open });
  return { ...costOf({ ...request, attention, visiblePairs }), blocks, bound: blackBoxBound(request, arrangement, construction) };
}

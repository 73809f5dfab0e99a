import { checkMasses } from '../chosen/rule';
import { maskOf, StepBudget, tileRuleOf } from '../scenario/scenario';
import { blackBoxCost, blackBoxLayout, fusedCost } from './attention-cost';
import { blackBoxBound, type Bound, boundOf, joinBounds } from './bound';
import { costOf, type PlanCost, sumCosts } from './cost';
import { checkBlockSize, partition } from './partition';
import { checkUniform, isOneKind, type LayerPlanRequest, layerRequests, type PlanRequest } from './request';
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
  checkUniform(request);
  if (isOneKind(request)) {
    return layerCost(request, new StepBudget());
  }
  const budget = new StepBudget();
  const parts = layerRequests(request).map(({ layers, request: part }) => ({ layers, plan: layerCost(part, budget) }));
  const costs = parts.map(({ plan }) => plan);
  return { ...sumCosts(request, costs), blocks: costs[0].blocks, bound: joinBounds(parts) };
}

/** @param budget for masks that the user wrote */
function layerCost(request: LayerPlanRequest, budget: StepBudget): RequestCost {
  const { tokens, scenario, oracle } = request;
  checkBlockSize(oracle.inputLength);
  const layout = blackBoxLayout(request);
  const { blocks, blockSize } = partition(tokens, layout?.arrangement.blockSize ?? oracle.inputLength);
  if (tileRuleOf(scenario) !== undefined) {
    checkMasses(tokens, request.model.heads, blockSize);
  }
  const attends = request.model.heads > 0;
  const visiblePairs = attends ? maskOf(scenario, tokens, budget).visiblePairs() : 0;
  if (layout === undefined) {
    const attention = fusedCost(request, attends ? tileTotal(scenario, tokens, blockSize, budget) : 0);
    return { ...costOf({ ...request, attention, visiblePairs }), blocks, bound: boundOf(request, blocks) };
  }
  const { arrangement, construction } = layout;
  const count = Object.fromEntries(arrangement.formula.map(({ kind, patterns }) => [kind, patterns]));
  const attention = blackBoxCost(request, layout, count);
  return { ...costOf({ ...request, attention, visiblePairs }), blocks, bound: blackBoxBound(request, arrangement, construction) };
}

import { costCurves, type CostCurves } from '../../core/compare/cost-curves';
import { comparedRequests } from '../../core/compare/scenario-costs';
import type { ScenarioParameters } from '../../core/scenario/scenario';
import type { PromptPlan } from '../prompts/prompt-plans';

/** Cost over N, computed where something that shapes it has changed: the same object means the same curves. */
export class CurveMemory {
  private key: string | undefined;
  private curves: CostCurves | null = null;

  /** The curves of a planned prompt; null where it is not planned. */
  of(planned: PromptPlan | undefined, parameters: ScenarioParameters): CostCurves | null {
    if (planned === undefined || planned.error !== null) {
      this.key = undefined;
      return (this.curves = null);
    }
    const { plan, calibration } = planned;
    const { model, scenario, construction, oracle, scoreBytes } = plan;
    // Everything but N and the text.
    const key = JSON.stringify([model, scenario, construction, oracle, scoreBytes, parameters, calibration?.provider, calibration?.date]);
    if (key !== this.key) {
      this.curves = costCurves(comparedRequests(plan, parameters).possible, plan, calibration);
      this.key = key;
    }
    return this.curves;
  }
}

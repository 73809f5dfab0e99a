import type { RunReport } from '../../core/report/report';
import { scenarioLabel } from '../../core/scenario/scenario';
import type { LabAtlas } from '../../protocol/lab';
import type { PromptPlan } from '../prompts/prompt-plans';

/** An atlas as the lab shows it. @param planned the prompt as it is now; undefined where the atlas is of a file */
export function labAtlas(report: RunReport, planned?: PromptPlan): LabAtlas | null {
  const { atlas, byToken = null, prompt, plan } = report;
  if (atlas === undefined) {
    return null;
  }
  const isCurrent = (now: PromptPlan): boolean =>
    now.error === null &&
    now.sha256 === prompt.sha256 &&
    // Under the model's own attention there is nothing to cut off.
    (atlas.cut === null || scenarioLabel(now.plan.scenario) === scenarioLabel(atlas.cut.scenario));
  return {
    atlas,
    byToken,
    partition: { tokens: prompt.tokens, blockSize: plan.blockSize, blocks: plan.blocks },
    cut: atlas.cut,
    current: planned === undefined || isCurrent(planned),
  };
}

import type { Calibration } from '../../core/predict/calibration';
import type { SimulationOptions } from '../../core/options/options';
import { makePlan, type Plan } from '../../core/plan/plan';
import { planRequest } from '../../core/plan/request';
import { withTokenizerNote } from '../../core/report/tokenizer';
import type { Calibrations } from './calibrations';
import type { PlanningModel } from './model-reader';

/**
 * The plan of N tokens for the device that the options name or calibration prefers.
 *
 * @returns `plan` makes it, with notes in the language of the moment; it throws an InputError where there is none
 */
export async function planTokens(
  tokens: number,
  { folder, tokenizer }: PlanningModel,
  options: SimulationOptions,
  calibrations: Calibrations,
): Promise<{ readonly plan: () => Plan; readonly calibration: Calibration | undefined }> {
  const request = planRequest(tokens, folder.config.shape, options);
  const calibration = await calibrations.choose(options.provider, options.threads, request);
  return { plan: () => withTokenizerNote(makePlan({ ...request, scoreBytes: calibration?.scoreBytes }), tokenizer), calibration };
}

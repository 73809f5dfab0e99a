import { type SortedScenarios, sortScenarios } from '../../core/compare/sort-scenarios';
import { InputError } from '../../core/errors';
import type { SimulationOptions } from '../../core/options/table';
import type { OnProgress } from '../../core/report/phases';
import { type ComparisonReport, reportSchemaVersion, type RunReport, withTokenizerNote } from '../../core/report/report';
import type { Scenario, ScenarioChoice } from '../../core/scenario/scenario';
import { type Device, openPlannedDevice } from '../attend/runtime/provider';
import { loadModel } from '../read/model/load';
import type { Prompt } from '../read/prompt';
import { type Places, tokenizePrompt, type TokenizedPrompt } from './plan';
import { BaselineStream, checkRun, runPlanned } from './simulate';

/** A prompt under several scenarios, planned: those that it can have, and those that are refused. */
interface PlannedComparison extends SortedScenarios {
  readonly prompt: TokenizedPrompt;
}

/** What surrounds a comparison's runs. */
interface ComparisonContext {
  readonly signal: AbortSignal;
  /** Takes the progress of one scenario's run, which is the one at `index` of those that are possible. */
  readonly progressOf: (scenario: Scenario, index: number) => OnProgress;
}

/**
 * Plans a prompt under several scenarios.
 *
 * @throws InputError for a model or a prompt that cannot be read, or where no scenario is possible
 */
export async function planComparison(
  prompt: Prompt,
  scenarios: readonly ScenarioChoice[],
  options: SimulationOptions,
  places: Places,
): Promise<PlannedComparison> {
  const tokenized = await tokenizePrompt(prompt, options, places);
  const { tokens, model } = tokenized;
  const candidates = await places.calibrations.candidates(options.provider, options.threads);
  const sorted = sortScenarios(scenarios, tokens.length, model.config.shape, options, candidates);
  if (sorted.possible.length === 0) {
    throw new InputError(sorted.refused[0]?.reason ?? 'There is no scenario to compare; name one.');
  }
  return { prompt: tokenized, ...sorted };
}

/**
 * Runs a prompt under every scenario that it can have: the model is loaded once, and the model's own attention, with which
 * each is compared, is run once for all scenarios that would compute it alike.
 *
 * @throws InputError for input that is refused before the first run; CancelledError once the signal is aborted
 */
export async function compare(
  { prompt, possible, refused }: PlannedComparison,
  options: SimulationOptions,
  { signal, progressOf }: ComparisonContext,
): Promise<ComparisonReport> {
  const { source } = prompt.tokenizer;
  const planned = possible.map(({ plan, calibration }) => ({ ...prompt, plan: withTokenizerNote(plan, source), calibration }));
  // The baseline's residual stream stays in memory from one run to the next.
  const kept = options.quality && planned.length > 1 ? 4 * prompt.tokens.length * prompt.model.config.shape.width : 0;
  planned.forEach((each) => checkRun(each, options, kept));
  const devices = new Map<string | undefined, Device>();
  for (const { calibration } of planned) {
    const name = calibration?.provider;
    devices.set(name, devices.get(name) ?? (await openPlannedDevice(options, calibration)));
  }
  const model = await loadModel(prompt.model);
  const baseline = new BaselineStream();
  const runs: RunReport[] = [];
  for (const [index, each] of planned.entries()) {
    const { scenario } = each.plan;
    const device = devices.get(each.calibration?.provider) ?? (await openPlannedDevice(options, each.calibration));
    const onProgress = progressOf(scenario, index);
    runs.push(await runPlanned(each, { ...options, scenario }, { model, device, baseline, signal, onProgress }));
  }
  const [first] = runs;
  return { schemaVersion: reportSchemaVersion, prompt: first.prompt, model: first.model, runs, refused };
}

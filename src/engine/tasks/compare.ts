import { plannedProvider } from '../../core/predict/executor';
import { type SortedScenarios, sortScenarios, type WantedScenarios } from '../../core/compare/sort-scenarios';
import type { SimulationOptions } from '../../core/options/table';
import { isNativePlan } from '../../core/plan/plan';
import { memoryOf } from '../../core/predict/memory';
import type { OnProgress } from '../../core/report/phases';
import { type ComparisonReport, reportSchemaVersion, type RunReport } from '../../core/report/report';
import { worstVerdict } from '../../core/report/verdict';
import type { Scenario } from '../../core/scenario/scenario';
import { type Device, openPlannedDevice } from '../attend/runtime/provider';
import { checkBaseline } from '../attend/verify/dense-forward';
import { checkScore } from '../attend/verify/quality';
import { loadModel } from '../read/model/load';
import type { Prompt } from '../read/prompt';
import { placedOptions, placedScenario } from '../read/part-starts';
import { knownDevices, partedPrompt, type Places, tokenizePrompt, type TokenizedPrompt, withSourceNotes } from './plan';
import { BaselineStream, checkModel, runPlanned, runUse } from './simulate';
import { interruptible } from '../interruptible';
import { checkMemory, PeakWatch, processBytes } from '../memory';

/** A prompt under several scenarios, planned: those that it can have, and those that are refused. */
interface PlannedComparison extends SortedScenarios {
  readonly prompt: TokenizedPrompt;
}

/** What surrounds a comparison's runs. */
interface ComparisonContext {
  readonly signal: AbortSignal;
  /** Takes the progress of one scenario's run, before which `index` others were made. */
  readonly progressOf: (scenario: Scenario, index: number) => OnProgress;
  /** Takes each run as soon as it ends: a comparison that is cancelled later has those. */
  readonly onRun?: (report: RunReport) => void;
}

/**
 * Plans a prompt under several scenarios. One that can be planned but not run, such as for lack of memory, is refused too.
 *
 * @throws InputError for a model or a prompt that cannot be read, or where a scenario may not be left out
 */
export async function planComparison(
  prompt: Prompt,
  wanted: WantedScenarios,
  options: SimulationOptions,
  places: Places,
): Promise<PlannedComparison> {
  checkBaseline(options);
  const tokenized = await tokenizePrompt(prompt, options, places);
  await checkModel(tokenized);
  const { tokens, model } = tokenized;
  checkScore(options, model.config, tokens.length);
  const { candidates } = await knownDevices(options, places);
  // The baseline's residual stream stays in memory from one run to the next.
  const kept = options.quality && wanted.scenarios.length > 1 ? 4 * tokens.length * model.config.shape.width : 0;
  const before = processBytes();
  const parted = partedPrompt(tokenized, options);
  const sorted = interruptible(() =>
    sortScenarios(
      { ...wanted, scenarios: wanted.scenarios.map((each) => placedScenario(each, parted)) },
      tokens.length,
      model.config.shape,
      placedOptions(options, parted),
      candidates,
      ({ plan, calibration }) => {
        const provider = plannedProvider(options.provider, calibration);
        checkMemory(plan, { ...runUse({ plan, model }, options, { provider }, before), kept }, options.memoryLimit);
      },
    ),
  );
  return { prompt: tokenized, ...sorted };
}

/**
 * Runs a prompt under every scenario that it can have: the model is loaded once, and the model's own attention, with which
 * each is compared, is run once for all scenarios that would compute it alike. A scenario that is that attention is run first, wherever
 * it stands, and is what the others are compared with; reports keep the order of the scenarios.
 *
 * @throws InputError for a device, an executor or a precision that cannot be had; CancelledError once the signal is aborted
 */
export async function compare(
  { prompt, possible, refused }: PlannedComparison,
  options: SimulationOptions,
  { signal, progressOf, onRun }: ComparisonContext,
): Promise<ComparisonReport> {
  const planned = possible.map(({ plan, calibration }) => ({ ...prompt, plan: withSourceNotes(plan, prompt), calibration, way: options }));
  const devices = new Map<string | undefined, Device>();
  for (const { calibration } of planned) {
    const name = calibration?.provider;
    devices.set(name, devices.get(name) ?? (await openPlannedDevice(options, calibration)));
  }
  const start = new PeakWatch();
  const model = await loadModel(prompt.model);
  const baseline = new BaselineStream();
  // Later runs begin with what earlier ones have left in the process, and with the weights, which are a part of their own.
  const loadedBytes = memoryOf(planned[0].plan, runUse(planned[0], options, { provider: 'cpu' }, 0)).weights;
  const processOf = ({ startBytes }: PeakWatch): number => Math.max(start.startBytes, startBytes - loadedBytes);
  const runs: RunReport[] = [];
  const isNative = (index: number): number => Number(isNativePlan(planned[index].plan));
  const order = [...planned.keys()].sort((one, other) => isNative(other) - isNative(one));
  for (const [turn, index] of order.entries()) {
    const each = planned[index];
    const { scenario } = each.plan;
    const device = devices.get(each.calibration?.provider) ?? (await openPlannedDevice(options, each.calibration));
    const onProgress = progressOf(scenario, turn);
    const watch = turn === 0 ? start : new PeakWatch();
    try {
      const surroundings = { model, device, baseline, watch, processBytes: processOf(watch), signal, onProgress };
      const report = await runPlanned(each, { ...options, scenario }, surroundings);
      runs[index] = report;
      onRun?.(report);
    } finally {
      watch.end();
    }
  }
  const [first] = runs;
  return {
    schemaVersion: reportSchemaVersion,
    prompt: first.prompt,
    model: first.model,
    runs,
    verdict: worstVerdict(runs.map(({ verdict }) => verdict)),
    refused,
  };
}

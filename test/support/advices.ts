import { adviseDefaults } from '../../src/core/advise/options';
import { type AdvisedMask, type AdviceReport, answerOf } from '../../src/core/advise/report';
import { defaultExperiment } from '../../src/core/evaluate/experiment';
import { makeScenario } from '../../src/core/scenario/scenario';
import { type ReportChoice, reportOf } from './reports';

/** A uniform mask with so many attention calls of 100, and so much of a mean KL divergence. */
export function advisedMask(calls: number, kl: number, kind: 'exact' | 'failed' = 'exact'): AdvisedMask {
  return {
    scenario: makeScenario('sliding-window', { window: calls }),
    calls,
    share: calls / 100,
    predictedMs: null,
    measuredMs: 50 + calls,
    causalMs: 150,
    predictedKl: kl,
    kl: { value: kl, error: 0.001, low: kl - 0.002, high: kl + 0.002 },
    verdict: { kind, bound: null, measured: null, reason: kind },
  };
}

/** An advice that was never measured, of a limit of 0.02. */
export function adviceOf(tried: readonly AdvisedMask[], uniform: readonly AdvisedMask[], choice: ReportChoice = {}): AdviceReport {
  const { schemaVersion, model, environment, prompt, scenario, verdict } = reportOf(choice);
  const scenarios = tried.map((mask) => `sliding-window:${mask.calls}`);
  return {
    ...{ schemaVersion, model, environment, baseline: scenario, verdict },
    prompt: { ...prompt, windows: 1 },
    options: adviseDefaults(0.02),
    ...{ blockSize: 16, blocks: 8, calls: 100, probes: 4, positions: 99 },
    ...{ answer: answerOf(tried, 0.02), tried, uniform },
    experiment: { ...defaultExperiment, prompts: [prompt.path], blocks: [16], scenarios },
  };
}

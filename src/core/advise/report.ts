import type { Experiment } from '../evaluate/experiment';
import type { Estimate } from '../evaluate/estimate';
import type { ExperimentReport } from '../evaluate/report';
import { type Scenario, scenarioLabel } from '../scenario/scenario';
import type { Verdict } from '../report/verdict';
import type { AdviseOptions } from './options';

/** A mask that was measured. */
export interface AdvisedMask {
  readonly scenario: Scenario;
  /** Attention calls of the longest window, and their share of causal attention's. */
  readonly calls: number;
  readonly share: number;
  /** Milliseconds that the calibrated device is expected to take for such a window; null where it is not calibrated. */
  readonly predictedMs: number | null;
  /** Milliseconds that a window took without its checks, and those of causal attention in the same runs. */
  readonly measuredMs: number;
  readonly causalMs: number;
  /** Mean KL divergence that the masses predict, in nats; null for a mask that they say nothing of. */
  readonly predictedKl: number | null;
  /** The same as it was measured, over all scored positions. */
  readonly kl: Estimate;
  readonly verdict: Verdict;
}

/** What `advise --json` prints: the cheapest mask for each part of a model that was measured to stay within a limit. */
export interface AdviceReport extends Pick<ExperimentReport, 'schemaVersion' | 'model' | 'baseline' | 'environment'> {
  /** As it was read. */
  readonly prompt: ExperimentReport['prompts'][number];
  readonly options: AdviseOptions;
  /** M, and T of the longest window. */
  readonly blockSize: number;
  readonly blocks: number;
  /** Attention calls of causal attention. */
  readonly calls: number;
  /** The cheapest that was measured within the limit; null where none was. */
  readonly answer: AdvisedMask | null;
  /** Every choice that was measured, in order; the answer is one of them. */
  readonly tried: readonly AdvisedMask[];
  /** Uniform windows with sinks: of at most as many calls as the answer, and the next one of more. Empty without an answer. */
  readonly uniform: readonly AdvisedMask[];
  /** Masks that were measured besides, to learn what the parts lose. */
  readonly probes: number;
  /** Scored positions that every mean KL is of. */
  readonly positions: number;
  /** What repeats the answer and what it is compared with; without an answer, the last choice. */
  readonly experiment: Experiment;
  /** Of all runs, the worst. */
  readonly verdict: Verdict;
}

/** The cheapest mask within the limit, and of equally cheap ones that with the least loss; null where none is within. */
export function answerOf(tried: readonly AdvisedMask[], maxKl: number): AdvisedMask | null {
  const within = tried.filter(({ kl, verdict }) => kl.value <= maxKl && verdict.kind !== 'failed');
  return [...within].sort((one, other) => one.calls - other.calls || one.kl.value - other.kl.value).at(0) ?? null;
}

/** The uniform mask with the least loss among those of at most as many calls as the answer; undefined where there is none. */
export function bestUniform({ answer, uniform }: Pick<AdviceReport, 'answer' | 'uniform'>): AdvisedMask | undefined {
  return uniform
    .filter(({ calls }) => answer !== null && calls <= answer.calls)
    .sort((one, other) => one.kl.value - other.kl.value)
    .at(0);
}

/** Every mask that was measured, under the name that tables and pictures give it: the answer, uniform ones, and others that were tried. */
export function namedMasks({ answer, tried, uniform }: Pick<AdviceReport, 'answer' | 'tried' | 'uniform'>): readonly {
  readonly name: string;
  readonly of: 'answer' | 'uniform' | 'tried';
  readonly mask: AdvisedMask;
}[] {
  // A report that was read from a file has the answer twice, as two objects.
  const isAnswer = ({ scenario }: AdvisedMask): boolean => answer !== null && scenarioLabel(scenario) === scenarioLabel(answer.scenario);
  return [
    ...(answer === null ? [] : [{ name: 'answer', of: 'answer' as const, mask: answer }]),
    ...uniform.map((mask) => ({ name: scenarioLabel(mask.scenario), of: 'uniform' as const, mask })),
    ...tried.filter((mask) => !isAnswer(mask)).map((mask) => ({ name: 'tried', of: 'tried' as const, mask })),
  ];
}

import { defaultExperiment } from '../../../src/core/evaluate/experiment';
import { summariseQuality, type QualitySummary } from '../../../src/core/evaluate/quality-summary';
import {
  summariseExperiment,
  type ExperimentPoint,
  type ExperimentReport,
  type ExperimentSummary,
} from '../../../src/core/evaluate/report';
import { positionBins, summariseWindow } from '../../../src/core/evaluate/statistics';
import { overTheWire, planOf, windowRun, type Front } from './snapshots';

/** A quality as the engine sums it up, of losses that are made up: a mask that loses `harm` nats more the further one reads. */
export function qualityOf(harm: number, targets = true): QualitySummary {
  const context = 64;
  // The last token of a window has no next one to predict.
  const end = targets ? context - 1 : context;
  const window = (shift: number): ReturnType<typeof summariseWindow> =>
    summariseWindow(
      Array.from({ length: end }, (_, position) => ({
        position,
        loss: targets ? 3 + shift + (harm * position) / context : undefined,
        baselineLoss: targets ? 3 + shift : undefined,
        divergence: (harm * (position + 1)) / context,
        agrees: position % 4 !== 0,
        touched: position >= context / 2,
      })),
      positionBins(context),
    );
  return summariseQuality([{ windows: [window(0), window(0.1), window(0.3)], sizes: Array(3).fill({ bytes: 256, words: 40 }), end }]);
}

/** A scenario with its real cost and a quality that is made up. @param harm null where it has none */
export function pointOf(front: Front, harm: number | null, more: Partial<ExperimentPoint> = {}): ExperimentPoint {
  const { scenario, blockSize, tokens, calls, flops, flopsByPhase, bytes } = planOf(front);
  const quality = harm === null ? null : qualityOf(harm);
  return {
    scenario,
    blockSize,
    cost: {
      tokens,
      calls,
      flops,
      attentionFlops: flopsByPhase.attend,
      bytes,
      peakBytes: 2 * bytes,
      predictedMs: harm === 0.2 ? 321 : null,
    },
    quality,
    qualityNote: quality === null ? 'A causal model has no quality under it.' : null,
    measuredBlockSize: blockSize,
    measured: quality === null ? null : { windows: 3, wallMs: 1000, calls: calls.total },
    retrieval: null,
    verdict: { kind: 'exact', bound: 1e-5, measured: 1e-6, reason: 'Every row is within rounding.' },
    ownBaseline: harm === 0,
    prompts: [],
    onFront: harm === 0.2 || harm === 0,
    tie: false,
    ...more,
  };
}

/** Two scenarios that differ in kind and cost. */
export const narrow: Front = { kind: 'sliding-window', parameters: { window: 64 } };
export const wide: Front = { kind: 'attention-sink', parameters: { window: 256, sinks: 4 } };

/** What the host sends of an evaluation with these points. */
export function evaluationOf(...points: ExperimentPoint[]): ExperimentSummary {
  const report: ExperimentReport = {
    schemaVersion: 1,
    experiment: { ...defaultExperiment, prompts: ['a.md'], context: 64, stride: 64 },
    model: windowRun.model,
    baseline: { kind: 'causal' },
    verdict: { kind: 'exact', bound: 1e-5, measured: 1e-6, reason: 'Every row is within rounding.' },
    prompts: [{ ...windowRun.prompt, windows: 3 }],
    points,
    resumed: 0,
    environment: windowRun.environment,
  };
  return overTheWire(summariseExperiment(report));
}

import { type MarkedPoint, type PointMark, pointMarks } from '../draw/point-marks';
import type { ExperimentSummary, SummedPoint } from '../evaluate/report';
import { hasOneBlockSize, pointTitle } from '../evaluate/rows';
import { formatCount, formatDuration, formatFlops } from '../format';
import { text } from '../l10n';
import { paretoFront } from '../math/pareto';
import type { RunReport } from '../report/report';
import { numbersText, type Scenario, scenarioLabel } from '../scenario/scenario';

/** What quality is drawn against. Titles are in English; translated when shown. */
export const frontierAxes = {
  predicted: { title: text('time, predicted'), format: formatDuration },
  measured: { title: text('time, measured'), format: formatDuration },
  calls: { title: text('calls of the small transformer'), format: formatCount },
  flops: { title: text('work of attention, FLOP'), format: formatFlops },
} as const satisfies Readonly<Record<string, { readonly title: string; readonly format: (value: number) => string }>>;
export type FrontierAxis = keyof typeof frontierAxes;

/** A scenario with a block size as quality against every cost that is known of it. */
export interface LabPoint {
  readonly scenario: Scenario;
  readonly blockSize: number;
  /** In full, and as short as stands beside a mark. */
  readonly title: string;
  readonly label: string;
  readonly mark: PointMark;
  /** By axis; null where it is not known. Of one window, or of the run. */
  readonly costs: Readonly<Record<FrontierAxis, number | null>>;
  /** Milliseconds between which about nine of ten runs end; null where that is not known. */
  readonly predictedInterval: { readonly lowMs: number; readonly highMs: number } | null;
  /** Mean KL divergence in nats, with its 95% interval where there is one; null where it was not measured. */
  readonly divergence: { readonly value: number; readonly low: number | null; readonly high: number | null } | null;
  /** Why there is no quality, or what it rests on; null where nothing is to be said. */
  readonly qualityNote: string | null;
  /** What the run made on which device; null of points that are no runs. */
  readonly made: {
    readonly provider: string;
    readonly threads: number;
    /** Floating-point operations of all layers. */
    readonly flops: number;
    /** Runs of graphs by ONNX Runtime. */
    readonly nativeRuns: number;
  } | null;
  readonly failed: boolean;
  readonly ownBaseline: boolean;
}

/** The points of an experiment. @param points all of them, or those that are only planned */
export function experimentPoints(
  points: readonly (Pick<SummedPoint, 'scenario' | 'blockSize' | 'cost'> & Partial<SummedPoint>)[],
  experiment: ExperimentSummary['experiment'],
): readonly LabPoint[] {
  const marks = pointMarks(points);
  return points.map(
    ({ scenario, blockSize, cost, quality = null, qualityNote = null, measured = null, verdict, ownBaseline = false }, index) => {
      const mean = quality?.divergence.mean;
      return {
        scenario,
        blockSize,
        title: pointTitle({ scenario, blockSize }, experiment),
        label: shortLabel(scenario, hasOneBlockSize(experiment) ? undefined : blockSize),
        mark: marks[index],
        costs: {
          predicted: cost.predictedMs,
          measured: measured === null || measured.windows === 0 ? null : measured.wallMs / measured.windows,
          calls: cost.calls.total,
          flops: cost.attentionFlops,
        },
        predictedInterval: null,
        made: null,
        divergence:
          mean === undefined || !Number.isFinite(mean.value) ? null : { value: mean.value, low: finite(mean.low), high: finite(mean.high) },
        qualityNote,
        failed: verdict?.kind === 'failed',
        ownBaseline,
      };
    },
  );
}

/**
 * Runs of one prompt as points, the newest of each scenario and block size.
 *
 * @param runs newest first
 * @param before points drawn beside them: the same scenario has the same mark
 */
export function runPoints(runs: readonly RunReport[], before: readonly LabPoint[] = []): readonly LabPoint[] {
  const keyOf = ({ scenario, oracle, construction }: RunReport): string =>
    `${scenarioLabel(scenario)} ${oracle.inputLength} ${construction}`;
  const newest = [...new Map([...runs].reverse().map((run) => [keyOf(run), run])).values()];
  const sizes = new Set(newest.map(({ oracle }) => oracle.inputLength));
  const marks = pointMarks(newest.map(markedRun), before);
  return newest.map(({ scenario, oracle, prediction, run, plan, quality, qualityNote, verdict }, index) => ({
    scenario,
    blockSize: oracle.inputLength,
    title: sizes.size === 1 ? scenarioLabel(scenario) : `${scenarioLabel(scenario)}, M = ${oracle.inputLength}`,
    label: shortLabel(scenario, sizes.size === 1 ? undefined : oracle.inputLength),
    mark: marks[index],
    costs: {
      predicted: prediction?.wallMs ?? null,
      measured: run.wallMs,
      calls: run.calls.total,
      flops: plan.flopsByPhase.attend,
    },
    predictedInterval: prediction?.interval === undefined ? null : { lowMs: prediction.interval.lowMs, highMs: prediction.interval.highMs },
    made: { provider: run.provider, threads: run.threads, flops: plan.flops, nativeRuns: run.calls.dispatches },
    divergence: quality === null || !Number.isFinite(quality.meanKl) ? null : { value: quality.meanKl, low: null, high: null },
    qualityNote,
    failed: verdict.kind === 'failed',
    ownBaseline: quality?.ownBaseline === true,
  }));
}

/** A run as what marks are given to. */
export function markedRun({ scenario, oracle, construction }: RunReport): MarkedPoint {
  return { scenario, blockSize: oracle.inputLength, construction };
}

/** A point with both a quality and a cost. */
export interface FrontierPoint extends LabPoint {
  readonly cost: number;
  readonly divergence: NonNullable<LabPoint['divergence']>;
  /** Whether no other point has both a smaller cost and a smaller divergence. */
  readonly onFront: boolean;
  /** Whether intervals leave that open. */
  readonly tie: boolean;
}

/** The points that can be drawn against a cost, cheapest first, and which of them no other beats. */
export function frontier(points: readonly LabPoint[], axis: FrontierAxis): readonly FrontierPoint[] {
  const drawn = points.flatMap((point) => {
    const cost = point.costs[axis];
    return point.divergence === null || cost === null || !(cost > 0) ? [] : [{ ...point, cost, divergence: point.divergence }];
  });
  const standings = paretoFront(drawn, ({ cost, divergence: { value, low, high }, failed }) => [
    cost,
    failed ? undefined : low !== null && high !== null ? { value, low, high } : value,
  ]);
  return drawn
    .map((point, index) => ({ ...point, onFront: standings[index].onFront, tie: standings[index].isTie }))
    .sort((one, other) => one.cost - other.cost);
}

/** A point whose time was predicted and measured. */
export interface TimedPoint extends LabPoint {
  readonly predictedMs: number;
  readonly measuredMs: number;
  /** Measured over predicted, less 1: 0.1 for 10% longer. */
  readonly residual: number;
  /** Whether it is within the interval of the prediction; null where there is none. */
  readonly within: boolean | null;
}

/** The points with both times, the shortest predicted first. */
export function timedPoints(points: readonly LabPoint[]): readonly TimedPoint[] {
  return points
    .flatMap((point): TimedPoint[] => {
      const { predicted, measured } = point.costs;
      if (predicted === null || measured === null || !(predicted > 0) || !(measured > 0)) {
        return [];
      }
      const { predictedInterval: interval } = point;
      return [
        {
          ...point,
          predictedMs: predicted,
          measuredMs: measured,
          residual: measured / predicted - 1,
          within: interval && interval.lowMs <= measured && measured <= interval.highMs,
        },
      ];
    })
    .sort((one, other) => one.predictedMs - other.predictedMs);
}

/** A scenario in a few characters, since its colour says its kind: its numbers, or its kind where it has none. */
function shortLabel(scenario: Scenario, blockSize: number | undefined): string {
  const words = numbersText(scenario) || scenario.kind;
  return blockSize === undefined ? words : `${words}, M ${blockSize}`;
}

/** JSON makes null of what is not finite. */
function finite(value: number | null): number | null {
  return value !== null && Number.isFinite(value) ? value : null;
}

import { needleGrid, type NeedleGrid } from '../../core/evaluation/needle-grid';
import { summariseQuality } from '../../core/evaluate/quality-summary';
import type { ExperimentPoint } from '../../core/evaluate/report';
import type { PlacedAnswer } from '../tasks/evaluate/texts';
import type { Point, PointPlanner } from '../tasks/evaluate/points';
import type { NeedleResult, WindowResult } from './result-schemas';
import type { ExperimentText } from './texts';
import type { Worked } from '../tasks/evaluate/work';

/**
 * What was measured of a point, over all windows and for each prompt.
 *
 * @param job index among the results of the job that the point's quality comes from; negative where there is none
 */
export function measuredPoint(
  point: Point,
  job: number,
  texts: readonly ExperimentText[],
  { results }: Worked<WindowResult>,
  planner: PointPlanner,
): Pick<ExperimentPoint, 'quality' | 'measured' | 'prompts'> {
  const own = job < 0 ? [] : results.map((row) => row[job]);
  const summary = (of: readonly WindowResult[]): ExperimentPoint['quality'] =>
    of.length === 0 ? null : summariseQuality(of.map((each) => each.summary));
  let first = 0;
  const prompts = texts.map(({ prompt, tokens, windows }) => {
    const part = own.slice(first, (first += windows.length));
    return { path: prompt.path, cost: planner.cost(tokens, point.scenario, point.blockSize), quality: summary(part) };
  });
  const isMeasured = own.length > 0 && point.blockSize === point.measuredBlockSize;
  const total = (of: (result: WindowResult) => number): number => own.reduce((sum, result) => sum + of(result), 0);
  return {
    quality: summary(own),
    measured: isMeasured ? { windows: own.length, wallMs: total(({ wallMs }) => wallMs), calls: total(({ calls }) => calls) } : null,
    prompts,
  };
}

/** Needle scores of a job beside the baseline's, which is the last job of the results. */
export function needleGridOf(needles: readonly PlacedAnswer[], { results }: Worked<NeedleResult>, job: number): NeedleGrid {
  const valueOf = ({ logProbability, rank }: NeedleResult): { logProbability: number; rank: number } => ({
    logProbability: logProbability ?? NaN,
    rank: rank ?? NaN,
  });
  return needleGrid(
    needles.map(({ length, depth }, index) => {
      const row = results[index];
      const baseline = valueOf(row[row.length - 1]);
      return { length, depth, ...valueOf(row[job]), baselineLogProbability: baseline.logProbability, baselineRank: baseline.rank };
    }),
  );
}

import { formatCount, formatDuration, formatFlops, formatShare } from '../format';
import { verdictName } from '../report/verdict';
import { scenarioLabel } from '../scenario/scenario';
import type { SummedPoint } from './report';
import type { RetrievalReport } from './retrieval';
import { plusMinus, qualityNotes } from './rows';

/** Cost and quality of every point as a table, a row each; columns that no point fills are left out. */
export function sweepTable(points: readonly SummedPoint[]): {
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
} {
  const targets = points.some(({ quality }) => quality?.targets !== undefined);
  const touched = points.some(({ quality }) => quality?.touched);
  const hidden = points.some(({ retrieval }) => retrieval !== null);
  const predicted = points.some(({ cost }) => cost.predictedMs !== null);
  return {
    header: [
      'scenario',
      'M',
      'calls',
      'attention',
      'work',
      ...(predicted ? ['expected'] : []),
      'measured',
      ...(targets ? ['perplexity'] : []),
      'mean KL',
      ...(touched ? ['KL touched'] : []),
      'same top',
      ...(hidden ? ['retrieval'] : []),
      '',
    ],
    rows: points.map(({ scenario, blockSize, cost, measured, quality, retrieval, verdict, onFront, tie, ownBaseline }) => [
      scenarioLabel(scenario),
      formatCount(blockSize),
      formatCount(cost.calls.total),
      formatFlops(cost.attentionFlops),
      formatFlops(cost.flops),
      ...(predicted ? [cost.predictedMs === null ? '-' : formatDuration(cost.predictedMs)] : []),
      measured === null ? '-' : formatDuration(measured.wallMs / measured.windows),
      ...(targets ? [quality?.targets ? plusMinus(quality.targets.perplexity, 3) : '-'] : []),
      quality === null ? '-' : ownBaseline ? 'its own baseline' : plusMinus(quality.divergence.mean, 5),
      ...(touched ? [quality?.touched ? plusMinus(quality.touched.divergence, 5) : '-'] : []),
      quality === null || ownBaseline ? '-' : formatShare(quality.agreement.value),
      ...(hidden ? [retrieval === null ? '-' : shareText(retrieval)] : []),
      verdict.kind === 'failed' ? verdictName('failed') : `${onFront ? '*' : ''}${tie ? '~' : ''}`,
    ]),
  };
}

/** What the table does not say of itself, a sentence each. */
export function sweepNotes(points: readonly SummedPoint[]): string[] {
  return [
    `Costs are of one window of ${formatCount(points[0].cost.tokens)} tokens${points.every(({ quality }) => quality === null) ? '.' : '; quality is measured once for each scenario whose construction is exact.'}`,
    ...(points.some(({ onFront }) => onFront) ? ['* on the Pareto front: no other point has both less work and a smaller KL.'] : []),
    ...(points.some(({ tie }) => tie)
      ? ['~ a tie: 95% intervals of the KL overlap, which leaves open whether the point belongs to the front.']
      : []),
    ...qualityNotes(points),
  ];
}

/** Cases that were found, and what was expected where that is something else. */
function shareText({ found, cases, differing }: RetrievalReport): string {
  return `${found} of ${cases.length}${differing === 0 ? '' : `, ${differing} DIFFER`}`;
}

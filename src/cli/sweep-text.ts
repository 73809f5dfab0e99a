import { formatCount, formatDuration, formatFlops, formatShare } from '../core/format';
import { scenarioLabel } from '../core/scenario/scenario';
import type { ExperimentReport } from '../core/evaluate/report';
import { plusMinus, qualityNotes } from '../core/evaluate/rows';
import { table } from './text';

/** Cost and quality of every point, a line each; those on the Pareto front are marked. */
export function sweepText({ points }: ExperimentReport): string {
  const targets = points.some(({ quality }) => quality?.targets !== undefined);
  const predicted = points.some(({ cost }) => cost.predictedMs !== null);
  return [
    table(
      [
        'scenario',
        'M',
        'calls',
        'attention',
        'work',
        ...(predicted ? ['expected'] : []),
        'measured',
        ...(targets ? ['perplexity'] : []),
        'mean KL',
        'same top',
        '',
      ],
      points.map(({ scenario, blockSize, cost, measured, quality, onFront }) => [
        scenarioLabel(scenario),
        formatCount(blockSize),
        formatCount(cost.calls.total),
        formatFlops(cost.attentionFlops),
        formatFlops(cost.flops),
        ...(predicted ? [cost.predictedMs === null ? '-' : formatDuration(cost.predictedMs)] : []),
        measured === null ? '-' : formatDuration(measured.wallMs / measured.windows),
        ...(targets ? [quality?.targets ? plusMinus(quality.targets.perplexity, 3) : '-'] : []),
        quality === null ? '-' : plusMinus(quality.divergence.mean, 5),
        quality === null ? '-' : formatShare(quality.agreement.value),
        onFront ? '*' : '',
      ]),
    ),
    `Costs are of one window of ${formatCount(points[0].cost.tokens)} tokens; quality is measured once for each scenario whose construction is exact.`,
    ...(points.some(({ onFront }) => onFront) ? ['* on the Pareto front: no other point has both less work and a smaller KL.'] : []),
    ...qualityNotes(points),
  ].join('\n');
}

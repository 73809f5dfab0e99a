import { isCycle, scenarioLabel } from '../scenario/scenario';
import { formatCount, formatFlops } from '../format';
import type { ExperimentReport, PlannedCost } from '../evaluate/report';
import { InputError } from '../errors';
import { hasOneBlockSize } from '../evaluate/rows';
import { qualityCostPicture } from './quality-cost';

/** What the cost axis can show, for one window of N tokens. */
export const costAxes = {
  attention: { title: 'work of attention', of: ({ attentionFlops }: PlannedCost) => attentionFlops, format: formatFlops },
  work: { title: 'work of the whole model', of: ({ flops }: PlannedCost) => flops, format: formatFlops },
  calls: { title: 'calls of the small transformer', of: ({ calls }: PlannedCost) => calls.total, format: formatCount },
  milliseconds: { title: 'expected milliseconds', of: ({ predictedMs }: PlannedCost) => predictedMs ?? NaN, format: formatCount },
} as const;
export type CostAxis = keyof typeof costAxes;

/**
 * Quality against cost of an experiment's points: mean KL divergence from the model's own attention.
 *
 * @throws InputError if no point has a quality
 */
export function experimentPicture({ model, points, prompts, experiment }: ExperimentReport, axis: CostAxis): string {
  const { title, of, format } = costAxes[axis];
  const measured = points.flatMap(({ scenario, blockSize, cost, quality, verdict, ownBaseline }) =>
    quality === null
      ? []
      : [
          {
            scenario,
            blockSize,
            cost,
            mean: quality.divergence.mean,
            windows: quality.windows,
            errors: quality.errors,
            failed: verdict.kind === 'failed',
            ownBaseline,
          },
        ],
  );
  if (measured.length === 0) {
    throw new InputError('No scenario of this experiment has a quality to draw; name one that the model can predict under.');
  }
  const [{ cost, windows, errors }] = measured;
  return qualityCostPicture({
    name: 'quality-cost',
    title: `${model.name}: quality against cost, ${windows} windows of ${formatCount(cost.tokens)} tokens from ${prompts.length === 1 ? prompts[0].path : `${prompts.length} texts`}`,
    costTitle: `${title[0].toUpperCase()}${title.slice(1)} for a window`,
    qualityTitle: 'Mean KL divergence from the model’s own attention, nats',
    qualityScale: 'log',
    formatCost: format,
    intervalNote: `They are ${errors}; scored: ${experiment.score}.`,
    points: measured.map(({ scenario, blockSize, cost: own, mean, failed, ownBaseline }) => {
      const { kind, ...parameters } = scenario;
      const values = isCycle(scenario) ? '' : Object.values(parameters as Readonly<Record<string, number>>).join(' + ');
      return {
        scenario: isCycle(scenario) ? scenarioLabel(scenario) : kind,
        label: [
          ...(values === '' ? [] : [values]),
          ...(hasOneBlockSize(experiment) ? [] : [`M ${blockSize}`]),
          ...(ownBaseline ? ['its own baseline'] : []),
        ].join(', '),
        cost: of(own),
        quality: mean.value,
        interval: { low: mean.low, high: mean.high },
        failed,
      };
    }),
  });
}

import { isCycle, numbersText, scenarioLabel, tileRuleOf } from '../scenario/scenario';
import { fileName, formatCount, formatFlops, formatNumberOf } from '../format';
import type { ExperimentSummary, PlannedCost } from '../evaluate/report';
import { InputError } from '../errors';
import { hasOneBlockSize } from '../evaluate/rows';
import { pointMarks } from './point-marks';
import { qualityCostPicture } from './quality-cost';

/** What the cost axis can show, for one window of N tokens. */
export const costAxes = {
  attention: { title: 'work of attention', of: ({ attentionFlops }: PlannedCost) => attentionFlops, format: formatFlops },
  work: { title: 'work of the whole model', of: ({ flops }: PlannedCost) => flops, format: formatFlops },
  tiles: { title: 'attention calls, in which tiles are packed', of: ({ calls }: PlannedCost) => calls.attention, format: formatCount },
  calls: { title: 'calls of the small transformer', of: ({ calls }: PlannedCost) => calls.total, format: formatCount },
  milliseconds: { title: 'expected milliseconds', of: ({ predictedMs }: PlannedCost) => predictedMs ?? NaN, format: formatCount },
} as const;
export type CostAxis = keyof typeof costAxes;

/**
 * Quality against cost of an experiment's points: mean KL divergence from the model's own attention.
 *
 * @throws InputError if no point has a quality
 */
export function experimentPicture({ model, points, prompts, experiment }: ExperimentSummary, axis: CostAxis): string {
  const { title, of, format } = costAxes[axis];
  const marks = pointMarks(points);
  const measured = points.flatMap(({ scenario, blockSize, cost, quality, verdict, ownBaseline }, index) =>
    quality === null
      ? []
      : [
          {
            scenario,
            blockSize,
            mark: marks[index],
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
    title: `${model.name}: quality against cost, ${formatNumberOf(windows, 'window')} of ${formatNumberOf(cost.tokens, 'token')} from ${prompts.length === 1 ? fileName(prompts[0].path) : `${prompts.length} texts`}`,
    costTitle: `${title[0].toUpperCase()}${title.slice(1)} for a window`,
    qualityTitle: 'Mean KL divergence from the model’s own attention, nats',
    qualityScale: 'log',
    formatCost: format,
    intervalNote: `They are ${errors}; scored: ${experiment.score}.`,
    points: measured.map(({ scenario, blockSize, mark, cost: own, mean, failed, ownBaseline }) => {
      const values = scenario.kind === 'custom' ? scenario.expression : numbersText(scenario);
      return {
        // Who asks every query knows the true masses.
        scenario: isCycle(scenario)
          ? scenarioLabel(scenario)
          : (tileRuleOf(scenario)?.queries ?? 0) >= blockSize
            ? `${scenario.kind}, oracle`
            : scenario.kind,
        label: [
          ...(values === '' ? [] : [values]),
          ...(hasOneBlockSize(experiment) ? [] : [`M ${blockSize}`]),
          ...(ownBaseline ? ['its own baseline'] : []),
        ].join(', '),
        mark,
        cost: of(own),
        quality: mean.value,
        interval: { low: mean.low, high: mean.high },
        failed,
      };
    }),
  });
}

import { type AdviceReport, namedMasks } from '../advise/report';
import { fileName, formatCount, formatFigure, formatShare } from '../format';
import { numbersText } from '../scenario/scenario';
import type { PointMark } from './point-marks';
import { qualityCostPicture } from './quality-cost';

const plain = { strength: 0.5, hollow: false };

/** What a mask is to an advice tells more than its kind: most are written as expressions. */
const marks: Readonly<Record<ReturnType<typeof namedMasks>[number]['of'], PointMark>> = {
  answer: { ...plain, hue: 'blue', shape: 'circle' },
  uniform: { ...plain, hue: 'orange', shape: 'square' },
  tried: { ...plain, hue: 'purple', shape: 'triangle' },
};

/** The masks of an advice: mean KL divergence against attention calls, with the limit that was asked for. */
export function advicePicture(report: AdviceReport): string {
  const { prompt, model, options } = report;
  const titles = { answer: 'answer', uniform: 'uniform windows', tried: 'tried besides' };
  return qualityCostPicture({
    name: 'advice',
    title: `Masks ${options.by} by ${options.by}: ${model.name} on ${fileName(prompt.path)}`,
    costTitle: 'Attention calls for a window',
    qualityTitle: 'Mean KL divergence from the model’s own attention, nats',
    qualityScale: 'log',
    formatCost: formatCount,
    limit: { quality: options.maxKl, label: `limit ${formatFigure(options.maxKl)}` },
    points: namedMasks(report).map(({ of, mask: { scenario, calls, share, kl, verdict } }) => ({
      scenario: titles[of],
      label: (of === 'uniform' && scenario.kind !== 'custom' && numbersText(scenario)) || formatShare(share),
      mark: marks[of],
      cost: calls,
      quality: kl.value,
      interval: { low: kl.low, high: kl.high },
      failed: verdict.kind === 'failed',
    })),
  });
}

import {
  formatBytes,
  formatCount,
  formatDuration,
  formatError,
  formatFigure,
  formatLogCount,
  formatNumberOf,
  formatShare,
} from '../core/format';
import type { Phases } from '../core/report/phases';
import type { Fidelity, PositionsQuality, Quality, QualityByTraining, RunReport } from '../core/report/report';
import type { HeadSampling, SamplingReport } from '../core/report/sampling';
import { scenarioLabel } from '../core/scenario/scenario';
import { noteLines, planText } from './plan';
import { pairs } from './table';

/** A finished run as a person reads it. */
export function runText(report: RunReport): string {
  const { run, fidelity, sampling, quality, qualityNote, prediction } = report;
  return [
    planText(report),
    pairs([
      [
        'ran on',
        `${run.provider}: ${run.device}, ${formatNumberOf(run.threads, 'thread')}, ${run.executor === 'compiled' ? 'compiled layers' : 'tile by tile'}${run.precision === 'float16' ? ', products in float16' : ''}`,
      ],
      [
        'time',
        `${formatDuration(run.wallMs)}${prediction === null ? '' : `, expected ${formatDuration(prediction.wallMs)}`} (${phasesText(run.phases)})`,
      ],
      ['calls made', `${formatCount(run.calls.total)} in ${formatCount(run.calls.dispatches)} dispatches${retriesText(run.calls.retries)}`],
      ['peak memory', `${formatBytes(run.peakRssBytes)}${prediction === null ? '' : ` (expected ${formatBytes(prediction.peakBytes)})`}`],
      ['fidelity', fidelity === null ? 'not checked (--verify none)' : fidelityText(fidelity)],
      ['quality', quality === null ? (qualityNote ?? 'not measured') : qualityText(quality, quality)],
      ...(quality?.byTraining ? byTrainingRows(quality, quality.byTraining) : []),
    ]),
    ...(sampling === null ? [] : samplingLines(sampling).map((line) => `  ${line}`)),
    // Last, where a terminal shows them.
    ...noteLines(report),
  ].join('\n');
}

function retriesText(retries: number): string {
  return retries === 0 ? '' : `, ${formatCount(retries)} of them repeated where a reference score was too far off`;
}

function phasesText(phases: Phases): string {
  return Object.entries<number>({ ...phases })
    .map(([phase, milliseconds]) => `${phase} ${formatDuration(milliseconds)}`)
    .join(', ');
}

function fidelityText({ rows, maxAbsError, maxRelError, logNormaliserError }: Fidelity): string {
  return `max abs error ${formatError(maxAbsError)}, relative ${formatError(maxRelError)}, log-normaliser ${formatError(logNormaliserError)} (${formatCount(rows)} rows a head and layer, against float64)`;
}

/** Quality on the two sides of the trained length. */
function byTrainingRows(quality: Quality, { trainedTokens, within, past }: QualityByTraining): [string, string][] {
  const trained = formatCount(trainedTokens);
  return [
    [`  within ${trained}`, qualityText(quality, within)],
    [`  past ${trained}`, qualityText(quality, past)],
  ];
}

function qualityText(
  { baseline }: Pick<Quality, 'baseline'>,
  { perplexity, baselinePerplexity, meanKl, topAgreement }: PositionsQuality,
): string {
  const against = baseline.kind === 'causal' ? 'full causal attention' : `its own ${scenarioLabel(baseline)}`;
  return `perplexity ${formatFigure(perplexity)} (${against}: ${formatFigure(baselinePerplexity)}), mean KL ${formatFigure(meanKl)} nats, same top token ${formatShare(topAgreement)}`;
}

/** Theorem 4.1's assumption and what was seen, as lines. */
export function samplingLines({
  data,
  tokens,
  sample,
  epsilon,
  failureProbability,
  rows,
  heads,
  holds,
  logNeededLength,
  seeds,
  errors,
  within,
}: SamplingReport): string[] {
  const logCs = heads.map(({ logC }) => logC);
  const ds = heads.map(({ d }) => d);
  return [
    `Theorem 4.1 on ${formatCount(tokens)} tokens, each query reading ${formatCount(sample)} sampled keys (${data}):`,
    `  measured on ${formatCount(rows)} rows of ${formatNumberOf(heads.length, 'head')}: ln C from ${formatFigure(Math.min(...logCs))} to ${formatFigure(Math.max(...logCs))}, D from ${formatFigure(Math.min(...ds))} to ${formatFigure(Math.max(...ds))}`,
    ...perLayer(heads),
    `  for an error of ${formatFigure(epsilon)} with probability ${formatFigure(1 - failureProbability)} the theorem asks for M >= ${formatLogCount(logNeededLength)}: the assumption ${holds ? 'holds' : 'does not hold'} here`,
    `  over ${formatNumberOf(seeds, 'seed')} the largest relative error of a row was ${formatError(errors.minimum)} at least, ${formatError(errors.median)} in the median, ${formatError(errors.maximum)} at most; ${formatCount(within)} of ${formatCount(seeds)} stayed within ${formatFigure(epsilon)}`,
  ];
}

/** The constants of each layer's heads, where there is more than one layer; every head's own are in the JSON. */
function perLayer(heads: readonly HeadSampling[]): string[] {
  const layers = new Set(heads.map(({ layer }) => layer));
  if (layers.size === 1) {
    return [];
  }
  return [...layers].map((layer) => {
    const own = heads.filter((head) => head.layer === layer);
    return `    layer ${layer + 1}: ${own.map(({ logC, d }) => `ln C ${logC.toPrecision(3)} D ${formatError(d)}`).join(', ')}`;
  });
}

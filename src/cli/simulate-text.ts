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
import { expectedDuration } from '../core/hints/expected';
import { memoryDetail } from '../core/predict/memory';
import { checkedRows } from '../core/report/checked-rows';
import { timesOf } from '../core/report/phases';
import type { OwnPositionsQuality, OwnQuality } from '../core/report/quality';
import type { Fidelity, MeasuredCalls, PositionsQuality, Quality, RunMeasurements, RunReport } from '../core/report/report';
import { verdictText } from '../core/report/verdict';
import { scopeRows } from '../core/report/quality-words';
import type { HeadSampling, SamplingReport } from '../core/report/sampling';
import { ownBaselineText } from '../core/report/quality';
import { scenarioLabel } from '../core/scenario/scenario';
import { lengthOf } from '../core/shards/cut';
import type { ShardedReport } from '../core/shards/report';
import { noteLines, planText } from './plan';
import { pairs } from './table';

/** A finished run as a person reads it. */
export function runText(report: RunReport): string {
  const { run, fidelity, sampling, quality, qualityNote, prediction } = report;
  return [
    planText(report),
    pairs([
      ['ran on', `${run.provider}: ${run.device}, ${formatNumberOf(run.threads, 'thread')}, ${executorText(run)}`],
      [
        'time',
        `${formatDuration(run.wallMs)}${prediction === null ? '' : `, expected ${expectedDuration(prediction)}`} (${phasesText(run)})`,
      ],
      ['calls made', callsText(run.calls)],
      [
        'peak memory',
        `${formatBytes(run.peakRssBytes)}${run.memory === undefined ? '' : ` (expected ${formatBytes(run.memory.peak)} = ${memoryDetail(run.memory)})`}`,
      ],
      ['fidelity', fidelityText(fidelity, report.prompt.tokens)],
      ...qualityRows(quality, qualityNote),
      ['verdict', verdictText(report.verdict)],
    ]),
    ...(sampling === null ? [] : samplingLines(sampling).map((line) => `  ${line}`)),
    // Last, where a terminal shows them.
    ...noteLines(report),
  ].join('\n');
}

function executorText({
  executor,
  precision,
  activations,
  segments,
}: Pick<RunMeasurements, 'executor' | 'precision' | 'activations' | 'segments'>): string {
  return [
    executor === 'compiled' ? 'compiled layers' : 'tile by tile',
    ...(segments === undefined ? [] : [`in ${formatCount(segments)} segments through all layers`]),
    ...(precision === 'float16' ? ['products in float16'] : []),
    ...(activations === undefined ? [] : [`${activations} activations`]),
  ].join(', ');
}

function callsText({ total, dispatches, retries }: MeasuredCalls): string {
  const repeated = retries === 0 ? '' : `, ${formatCount(retries)} of them repeated where a reference score was too far off`;
  return `${formatCount(total)} in ${formatCount(dispatches)} dispatches${repeated}`;
}

/** The phases that add up to a run's time, then those that are no part of it. */
function phasesText(run: RunMeasurements): string {
  const { within, beside } = timesOf(run);
  const [parts, others] = [within, beside].map((times) =>
    times
      .filter(([, milliseconds]) => milliseconds > 0)
      .map(([phase, milliseconds]) => `${phase} ${formatDuration(milliseconds)}`)
      .join(', '),
  );
  return others === '' ? parts : `${parts}; not part of it: ${others}`;
}

/** A prompt that was run in shards, as a person reads it. */
export function shardsText(report: ShardedReport): string {
  const { run, shards, halo, shardBytes, fidelity, quality, qualityNote, prompt } = report;
  const [{ result }] = shards;
  const largest = Math.max(...shards.map(({ reads }) => lengthOf(reads)));
  const devices = [...new Set(shards.map((shard) => `${shard.result.provider}: ${shard.result.device}`))];
  return [
    planText(report),
    pairs([
      ['ran on', `${devices.join('; ')}, ${executorText(result)}`],
      [
        'shards',
        `${formatCount(shards.length)} of up to ${formatCount(largest)} tokens, ${formatCount(halo)} of them halo; ${formatShare(run.tokens / prompt.tokens - 1)} of the prompt read again`,
      ],
      ['a shard', `about ${formatBytes(shardBytes)} of tensors at the peak, instead of the whole prompt's`],
      ['time', `${formatDuration(run.wallMs)}, the slowest shard ${formatDuration(run.longestMs)}`],
      ['calls made', callsText(run.calls)],
      ['peak memory', formatBytes(run.peakRssBytes)],
      ['fidelity', fidelityText(fidelity, prompt.tokens)],
      ...qualityRows(quality, qualityNote),
      ['verdict', verdictText(report.verdict)],
    ]),
    ...noteLines(report),
  ].join('\n');
}

function fidelityText(fidelity: Fidelity | null, tokens: number): string {
  if (fidelity === null) {
    return 'not checked (--verify none)';
  }
  const { maxAbsError, maxRelError, logNormaliserError } = fidelity;
  return `max abs error ${formatError(maxAbsError)}, relative ${formatError(maxRelError)}, log-normaliser ${formatError(logNormaliserError)} (${checkedRows(fidelity, tokens)})`;
}

/** Quality over all scored predictions, on the two sides of the trained length where both have some, and what is missing. */
function qualityRows(quality: Quality | OwnQuality | null, note: string | null): [string, string][] {
  if (quality === null) {
    return [['quality', note ?? 'not measured']];
  }
  const textOf = (means: PositionsQuality | OwnPositionsQuality): string => {
    if (quality.baseline === null || !('meanKl' in means)) {
      return `perplexity ${formatFigure(means.perplexity)}`;
    }
    return quality.ownBaseline === true
      ? `perplexity ${formatFigure(means.perplexity)}; ${ownBaselineText()}`
      : comparedText(quality, means);
  };
  const { byTraining } = quality;
  const trained = formatCount(byTraining?.trainedTokens ?? 0);
  return [
    ['quality', [textOf(quality), ...(note === null ? [] : [note])].join('; ')],
    ...(byTraining === undefined
      ? []
      : ([
          [`  within ${trained}`, textOf(byTraining.within)],
          [`  past ${trained}`, textOf(byTraining.past)],
        ] satisfies [string, string][])),
    ...scopeRows(quality, textOf).map(([name, text]): [string, string] => [`  ${name}`, text]),
  ];
}

function comparedText(
  { baseline, baselineBy }: Pick<Quality, 'baseline' | 'baselineBy'>,
  { perplexity, baselinePerplexity, meanKl, topAgreement }: PositionsQuality,
): string {
  const own = baseline.kind === 'causal' ? 'full causal attention' : `its own ${scenarioLabel(baseline)}`;
  const against = baselineBy === 'dense' ? `${own}, dense` : own;
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
  statisticalError: statistics,
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
    ...(statistics === undefined || !Number.isFinite(statistics)
      ? []
      : [`  statistics of these keys expect at most ${formatError(statistics)} of any of them`]),
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

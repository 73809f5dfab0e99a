import { formatBytes, formatCount, formatDuration, formatError, formatFigure, formatNumberOf, formatShare } from '../core/format';
import { choiceLines } from '../core/chosen/report';
import { expectedDuration } from '../core/hints/expected';
import { memoryDetail } from '../core/predict/memory';
import { checkedRows } from '../core/report/checked-rows';
import { timesOf } from '../core/report/phases';
import type { OwnPositionsQuality, OwnQuality } from '../core/report/quality';
import type { Fidelity, MeasuredCalls, PositionsQuality, Quality, RunMeasurements, RunReport } from '../core/report/report';
import { verdictText } from '../core/report/verdict';
import { scopeRows } from '../core/report/quality-words';
import { samplingLines } from '../core/report/sampling-text';
import { ownBaselineText } from '../core/report/quality';
import { scenarioLabel } from '../core/scenario/scenario';
import { lengthOf } from '../core/shards/cut';
import type { ShardedReport } from '../core/shards/report';
import { noteLines, planText } from './plan';
import { pairs } from './table';

/** A finished run as a person reads it. */
export function runText(report: RunReport): string {
  const { run, fidelity, sampling, choice, quality, qualityNote, prediction } = report;
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
    ...(choice === undefined ? [] : choiceLines(choice).map((line) => `  ${line}`)),
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

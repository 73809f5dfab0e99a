import {
  formatBytes,
  formatCount,
  formatDuration,
  formatError,
  formatFigure,
  formatFlops,
  formatNumberOf,
  formatShare,
} from '../core/format';
import { breakEvenText } from '../core/hints/hints';
import type { PartSummary } from '../core/plan/plan';
import type { Phases } from '../core/report/phases';
import type { Fidelity, PlanDocument, Quality, RunReport } from '../core/report/report';
import { scenarioLabel } from '../core/scenario/scenario';
import { predictedText } from './prediction-text';
import { samplingLines } from './sampling-text';

/** Lines of `name  value` pairs, aligned. */
export function pairs(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`).join('\n');
}

/** Columns of text, aligned; the first to the left, the rest to the right. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [header, ...rows];
  const widths = header.map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  return lines
    .map((line) => line.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column]))).join('  '))
    .join('\n');
}

/** A plan as a person reads it. */
export function planText({ prompt, model, scenario, oracle, construction, plan, prediction }: PlanDocument): string {
  const { calls, bound, flopsByPhase, tilesByKind, parts } = plan;
  const kinds = Object.entries(tilesByKind).filter(([, count]) => count > 0);
  return [
    `${prompt.path}: ${formatNumberOf(prompt.tokens, 'token')} under ${scenarioLabel(scenario)}, ${model.name}, M = ${formatCount(oracle.inputLength)}, ${construction}`,
    pairs([
      ['blocks', formatCount(plan.blocks)],
      ['tiles per head', `${formatCount(plan.tiles)} (${kinds.map(([kind, count]) => `${formatCount(count)} ${kind}`).join(', ')})`],
      ...(scenario.kind === 'per-layer' ? [['layers', parts.map(partText).join('; ')] as const] : []),
      ['calls', `${formatCount(calls.total)} = ${formatCount(calls.attention)} attention + ${formatCount(calls.tokenwise)} token-wise`],
      ['bound', `${formatCount(bound.calls)} attention calls (${bound.theorem}: ${bound.formula})`],
      ['rounds', formatCount(plan.rounds)],
      [
        'work',
        `${formatFlops(plan.flops)}, ${formatFlops(flopsByPhase.attend)} of it attention (dense: ${formatFlops(flopsByPhase.attendDense)})`,
      ],
      ['memory', `about ${formatBytes(plan.bytes)} of tensors at the peak`],
      ['expected', predictedText(prediction, construction)],
      ...(prediction?.breakEven ? [['attention', breakEvenText(prediction.breakEven)] as const] : []),
    ]),
    ...plan.notes.map((note) => `  note: ${note}`),
  ].join('\n');
}

/** One kind of layer. */
function partText({ layers, scenario, tiles, calls }: PartSummary): string {
  return `${layers.length} x ${scenarioLabel(scenario)} (${formatNumberOf(tiles, 'tile')} per head, ${formatNumberOf(calls.attention, 'attention call')})`;
}

/** A finished run as a person reads it. */
export function runText(report: RunReport): string {
  const { run, fidelity, sampling, quality, qualityNote, prediction } = report;
  return [
    planText(report),
    pairs([
      [
        'ran on',
        `${run.provider}: ${run.device}, ${run.threads} threads, ${run.executor === 'compiled' ? 'compiled layers' : 'tile by tile'}${run.precision === 'float16' ? ', products in float16' : ''}`,
      ],
      [
        'time',
        `${formatDuration(run.wallMs)}${prediction === null ? '' : `, expected ${formatDuration(prediction.wallMs)}`} (${phasesText(run.phases)})`,
      ],
      ['calls made', `${formatCount(run.calls.total)} in ${formatCount(run.calls.dispatches)} dispatches${retriesText(run.calls.retries)}`],
      ['peak memory', `${formatBytes(run.peakRssBytes)}${prediction === null ? '' : ` (expected ${formatBytes(prediction.peakBytes)})`}`],
      ['fidelity', fidelity === null ? 'not checked (--verify none)' : fidelityText(fidelity)],
      ['quality', quality === null ? (qualityNote ?? 'not measured') : qualityText(quality)],
    ]),
    ...(sampling === null ? [] : samplingLines(sampling).map((line) => `  ${line}`)),
  ].join('\n');
}

/** Several runs of one prompt, a line each. */
export function comparisonText(runs: readonly RunReport[]): string {
  return table(
    ['scenario', 'calls', 'attention', 'bound', 'time', 'max abs error', 'perplexity', 'baseline', 'mean KL'],
    runs.map(({ scenario, plan, run, fidelity, quality }) => [
      scenarioLabel(scenario),
      formatCount(run.calls.total),
      formatCount(run.calls.attention),
      formatCount(plan.bound.calls),
      formatDuration(run.wallMs),
      fidelity === null ? '-' : formatError(fidelity.maxAbsError),
      quality === null ? '-' : formatFigure(quality.perplexity),
      quality === null ? '-' : formatFigure(quality.baselinePerplexity),
      quality === null ? '-' : formatFigure(quality.meanKl),
    ]),
  );
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

function qualityText({ baseline, perplexity, baselinePerplexity, meanKl, topAgreement }: Quality): string {
  const against = baseline.kind === 'causal' ? 'full causal attention' : `its own ${scenarioLabel(baseline)}`;
  return `perplexity ${formatFigure(perplexity)} (${against}: ${formatFigure(baselinePerplexity)}), mean KL ${formatFigure(meanKl)} nats, same top token ${formatShare(topAgreement)}`;
}

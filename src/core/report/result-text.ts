import { choiceLines } from '../chosen/report';
import { formatBytes, formatCount, formatDuration, formatError, formatFigure, formatNumberOf, formatShare } from '../format';
import { breakEvenText, expectation, notesOf } from '../hints/expected';
import { contextLength, contextText } from '../plan/context-length';
import { memoryDetail } from '../predict/memory';
import { scenarioLabel } from '../scenario/scenario';
import { outsideBoxText } from './outside-box';
import { ownBaselineText } from './quality';
import { verdictName, verdictText } from './verdict';
import { toJson } from './json';
import { scopeRows } from './quality-words';
import type { ComparisonReport, PlanDocument, PositionsQuality, Quality, RunReport } from './report';

/** The longest report that is sent in full beside the text, in characters of JSON: longer ones cost too many tokens. */
const longestJson = 8000;

/** A report in full for a language model, or undefined if it is too long. */
export function reportJson(report: object): string | undefined {
  const json = toJson(report);
  return json.length <= longestJson ? json : undefined;
}

/** A plan as compact Markdown. */
export function planText(document: PlanDocument): string {
  const { prompt, model, scenario, oracle, construction, plan, outsideBox, memory, prediction } = document;
  const { calls, bound } = plan;
  return lines([
    `**${prompt.path}**: ${formatNumberOf(prompt.tokens, 'token')} under ${scenarioLabel(scenario)}, ${model.name}, M = ${formatCount(oracle.inputLength)}, ${construction}`,
    ...(contextLength(model.shape) === undefined ? [] : [`- context: ${contextText(prompt.tokens, model.shape)}`]),
    `- ${formatNumberOf(plan.blocks, 'block')}, ${formatNumberOf(plan.tiles, 'tile')} per head`,
    `- ${formatCount(calls.total)} calls of the small transformer: ${formatCount(calls.attention)} attention (bound: ${formatCount(bound.calls)}, ${bound.theorem}), ${formatCount(calls.tokenwise)} token-wise`,
    ...(outsideBox === undefined ? [] : [`- outside the box: ${outsideBoxText(outsideBox, plan.flops)}`]),
    memory === undefined
      ? `- about ${formatBytes(plan.bytes)} of tensors at the peak`
      : `- memory of a run: about ${formatBytes(memory.peak)} at the peak = ${memoryDetail(memory)}`,
    prediction === null
      ? '- time: not known, since this machine is not calibrated'
      : `- expected on ${prediction.provider}: ${expectation(prediction)}`,
    ...(prediction?.breakEven ? [`- attention: ${breakEvenText(prediction.breakEven)}`] : []),
    ...notesOf({ plan, prediction }).map((note) => `- note: ${note}`),
  ]);
}

/** A run as compact Markdown: its plan and its results. */
export function runText(report: RunReport): string {
  const { run, fidelity, choice, quality, qualityNote, verdict } = report;
  return lines([
    planText(report),
    `- ran on ${run.provider} (${run.device}) in ${formatDuration(run.wallMs)}: ${formatNumberOf(run.calls.total, 'call')}, peak memory ${formatBytes(run.peakRssBytes)}`,
    fidelity === null
      ? '- fidelity: not checked'
      : `- fidelity: max abs error ${formatError(fidelity.maxAbsError)} against exact float64 attention under the same mask`,
    `- verdict: ${verdictText(verdict)}`,
    ...(choice === undefined ? [] : choiceLines(choice).map((line) => `- chosen tiles: ${line}`)),
    quality === null ? `- quality: ${qualityNote ?? 'not measured'}` : `- quality: ${qualityText(quality, quality)}`,
    ...(quality?.byTraining
      ? [
          `- quality within the ${formatCount(quality.byTraining.trainedTokens)} tokens of training: ${qualityText(quality.byTraining.within, quality)}`,
          `- quality past them: ${qualityText(quality.byTraining.past, quality)}`,
        ]
      : []),
    ...(quality === null
      ? []
      : scopeRows(quality, (means) => qualityText(means, quality)).map(([name, text]) => `- quality, ${name}: ${text}`)),
  ]);
}

function qualityText(
  { perplexity, baselinePerplexity, meanKl, topAgreement }: PositionsQuality,
  { baseline, ownBaseline }: Pick<Quality, 'baseline' | 'ownBaseline'>,
): string {
  if (ownBaseline === true) {
    return `perplexity ${formatFigure(perplexity)}; ${ownBaselineText()}`;
  }
  return `perplexity ${formatFigure(perplexity)}, ${formatFigure(baselinePerplexity)} under ${scenarioLabel(baseline)}; mean KL ${formatFigure(meanKl)} nats, same top token ${formatShare(topAgreement)}`;
}

/** A comparison as a Markdown table, one row per scenario. */
export function comparisonText({ prompt, model, runs, refused }: ComparisonReport): string {
  const [{ oracle, run }] = runs;
  const notes = [...new Set(runs.flatMap(({ plan }) => plan.notes))];
  return lines([
    `**${prompt.path}**: ${formatNumberOf(prompt.tokens, 'token')}, ${model.name}, M = ${formatCount(oracle.inputLength)}, on ${run.provider} (${run.device})`,
    '',
    '| scenario | calls | bound (attention) | time | max abs error | verdict | perplexity | mean KL |',
    '| --- | --- | --- | --- | --- | --- | --- | --- |',
    ...runs.map(comparisonRow),
    ...(notes.length === 0 ? [] : ['', ...notes.map((note) => `- note: ${note}`)]),
    ...(refused.length === 0 ? [] : ['']),
    ...refused.map(({ scenario, reason }) => `- left out ${scenarioLabel(scenario)}: ${reason}`),
  ]);
}

function comparisonRow({ scenario, plan, run, fidelity, quality, verdict }: RunReport): string {
  const cells = [
    scenarioLabel(scenario).replaceAll('|', '\\|'),
    formatCount(run.calls.total),
    formatCount(plan.bound.calls),
    formatDuration(run.wallMs),
    fidelity === null ? '-' : formatError(fidelity.maxAbsError),
    verdictName(verdict.kind),
    quality === null ? '-' : formatFigure(quality.perplexity),
    quality === null ? '-' : quality.ownBaseline === true ? 'its own baseline' : formatFigure(quality.meanKl),
  ];
  return `| ${cells.join(' | ')} |`;
}

function lines(parts: readonly string[]): string {
  return parts.join('\n');
}

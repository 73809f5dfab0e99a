import { briefExperiment } from '../evaluate/brief';
import { formatCount, formatDuration, formatEstimate, formatFigure, formatNumberOf, formatShare } from '../format';
import type { TextTable } from '../report/html';
import { markdownLines } from '../report/markdown';
import { verdictText } from '../report/verdict';
import { type Scenario, scenarioLabel } from '../scenario/scenario';
import { type AdvisedMask, type AdviceReport, bestUniform, namedMasks } from './report';

/** Every mask that was measured on the way, the answer first. */
export function adviceTable(report: AdviceReport): TextTable {
  const rows = namedMasks(report);
  const isTimed = rows.some(({ mask }) => mask.predictedMs !== null);
  return {
    title: 'Masks that were measured',
    header: [
      ...['mask', 'attention calls', 'of causal', ...(isTimed ? ['expected'] : []), 'time', 'of causal'],
      ...['predicted KL', 'mean KL', '95% interval'],
    ],
    rows: rows.map(({ name, mask: { calls, share, predictedMs, measuredMs, causalMs, predictedKl, kl } }) => [
      name,
      formatCount(calls),
      formatShare(share),
      ...(isTimed ? [predictedMs === null ? '-' : formatEstimate(predictedMs)] : []),
      formatDuration(measuredMs),
      formatShare(measuredMs / causalMs),
      predictedKl === null ? '-' : formatFigure(predictedKl),
      formatFigure(kl.value),
      intervalOf(kl),
    ]),
  };
}

/** The answer part by part, equal neighbours together. */
export function answerLines({ options: { by }, answer }: Pick<AdviceReport, 'options' | 'answer'>): readonly string[] {
  return answer === null ? [] : partsOf(answer.scenario, by);
}

function partsOf(scenario: Scenario, by: string): readonly string[] {
  if (scenario.kind !== 'per-layer' && scenario.kind !== 'per-head') {
    return [`every ${by}: ${scenarioLabel(scenario)}`];
  }
  const labels = scenario.cycle.map(scenarioLabel);
  const runs: { readonly from: number; to: number; readonly label: string }[] = [];
  labels.forEach((label, part) => {
    const last = runs.at(-1);
    if (last?.label === label) {
      last.to = part + 1;
    } else {
      runs.push({ from: part, to: part + 1, label });
    }
  });
  return runs.map(({ from, to, label }) => `${to - from === 1 ? `${by} ${to}` : `${by}s ${from + 1} to ${to}`}: ${label}`);
}

/** What the advice comes to, a sentence or two. */
export function adviceSummary(report: AdviceReport): string {
  const { answer, calls, options, tried } = report;
  if (answer === null) {
    const nearest = [...tried].sort((one, other) => one.kl.value - other.kl.value).at(0);
    return nearest === undefined
      ? `No mask is predicted to stay within a mean KL of ${options.maxKl}: causal attention is the answer.`
      : `No mask that was measured stayed within a mean KL of ${options.maxKl}; the nearest had ${formatFigure(nearest.kl.value)}.`;
  }
  const own = `${formatNumberOf(answer.calls, 'attention call')} of ${formatCount(calls)} (${formatShare(answer.share)}) at a mean KL of ${formatFigure(answer.kl.value)}, predicted ${formatFigure(answer.predictedKl ?? NaN)}, where ${options.maxKl} may be; a window took ${formatDuration(answer.measuredMs)}, ${formatShare(answer.measuredMs / answer.causalMs)} of causal attention's time.`;
  const uniform = bestUniform(report);
  if (uniform === undefined) {
    return `${own} No uniform window is as cheap.`;
  }
  const other = `the best uniform window of at most as many calls, ${scenarioLabel(uniform.scenario)} with ${formatCount(uniform.calls)}, has ${formatFigure(uniform.kl.value)}`;
  return uniform.kl.value > answer.kl.value
    ? `${own} It beats uniform windows: ${other}${overlaps(answer, uniform) ? ', though the intervals overlap' : ''}.`
    : `${own} It does not beat uniform windows: ${other}.`;
}

function overlaps({ kl: one }: AdvisedMask, { kl: other }: AdvisedMask): boolean {
  return one.high >= other.low && other.high >= one.low;
}

function intervalOf({ low, high }: AdvisedMask['kl']): string {
  return Number.isFinite(low) && Number.isFinite(high) ? `${formatFigure(low)} - ${formatFigure(high)}` : '-';
}

/** What was read and run, a line. */
export function adviceHead({ prompt, model, blockSize, positions, probes, tried, uniform }: AdviceReport): string {
  const runs = 1 + probes + tried.length + uniform.length;
  return `${prompt.path}: ${formatNumberOf(prompt.windows, 'window')} of ${formatNumberOf(prompt.tokens, 'token')}, ${formatNumberOf(positions, 'position')} scored, ${model.name}, M = ${formatCount(blockSize)}, ${formatNumberOf(runs, 'run')} of each window`;
}

/** An advice as compact Markdown, for a language model. */
export function adviceText(report: AdviceReport): string {
  return [
    `**${adviceHead(report)}**`,
    adviceSummary(report),
    ...answerLines(report).map((line) => `- ${line}`),
    `- verdict: ${verdictText(report.verdict)}`,
    '',
    ...markdownLines(adviceTable(report)),
    ...(report.answer === null
      ? []
      : ['', 'An experiment file (*.two-heads.json) that repeats it:', '```json', briefExperiment(report.experiment), '```']),
  ].join('\n');
}

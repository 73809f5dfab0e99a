import { choiceLines } from '../chosen/report';
import { checkedRows } from './checked-rows';
import {
  fileName,
  formatBytes,
  formatCount,
  formatDuration,
  formatError,
  formatFigure,
  formatFlops,
  formatNumberOf,
  formatShare,
} from '../format';
import { expectedDuration, notesOf } from '../hints/expected';
import { contextLength, contextText } from '../plan/context-length';
import { peakText } from '../predict/memory';
import { scenarioLabel } from '../scenario/scenario';
import { outsideBoxText } from './outside-box';
import { ownBaselineText } from './quality';
import { scopeRows } from './quality-words';
import type { PositionsQuality, Quality, QualityByTraining, RunReport } from './report';
import { verdictName, verdictText } from './verdict';

/** A name and what it is, as people read them. Values may hold text out of files. */
type Figure = readonly [name: string, value: string];

const none = 'not measured';

/** What sums up a run in a table of many: what it is and what came out, then what went in. The first column names the run. */
export const summaryColumns: readonly { readonly title: string; readonly numeric: boolean; readonly of: (report: RunReport) => string }[] =
  [
    { title: 'Scenario', numeric: false, of: ({ scenario }) => scenarioLabel(scenario) },
    { title: 'Verdict', numeric: false, of: ({ verdict }) => verdictName(verdict.kind) },
    { title: 'Calls', numeric: true, of: ({ run }) => formatCount(run.calls.total) },
    { title: 'Time', numeric: true, of: ({ run }) => formatDuration(run.wallMs) },
    { title: 'Max abs error', numeric: true, of: ({ fidelity }) => (fidelity === null ? '-' : formatError(fidelity.maxAbsError)) },
    { title: 'Perplexity', numeric: true, of: ({ quality }) => (quality === null ? '-' : formatFigure(quality.perplexity)) },
    {
      title: 'Mean KL, nats',
      numeric: true,
      of: ({ quality }) => (quality === null ? '-' : quality.ownBaseline === true ? 'its own baseline' : formatFigure(quality.meanKl)),
    },
    { title: 'KL touched, nats', numeric: true, of: ({ quality }) => (quality?.touched ? formatFigure(quality.touched.meanKl) : '-') },
    { title: 'Peak memory', numeric: true, of: ({ run }) => formatBytes(run.peakRssBytes) },
    { title: 'M', numeric: true, of: ({ oracle }) => formatCount(oracle.inputLength) },
    { title: 'Tokens', numeric: true, of: ({ prompt }) => formatCount(prompt.tokens) },
    { title: 'Scored', numeric: false, of: ({ quality }) => (quality === null ? '-' : (quality.score ?? 'all')) },
    { title: 'Construction', numeric: false, of: ({ construction }) => construction },
    { title: 'Prompt', numeric: false, of: ({ prompt }) => fileName(prompt.path) },
  ];

/** A run's name among others: its place and its scenario. @param index 0-based */
export function runTitle({ scenario }: RunReport, index: number): string {
  return `Run ${index + 1}: ${scenarioLabel(scenario)}`;
}

/** Everything that a person asks of one run. */
export function runFigures({
  prompt,
  model,
  oracle,
  construction,
  plan,
  outsideBox,
  run,
  prediction,
  fidelity,
  choice,
  quality,
  qualityNote,
  verdict,
  environment,
}: RunReport): Figure[] {
  return [
    ['Prompt', `${prompt.path}, ${formatNumberOf(prompt.tokens, 'token')}`],
    ...(contextLength(model.shape) === undefined ? [] : [['Context', contextText(prompt.tokens, model.shape)] as const]),
    ['SHA-256', prompt.sha256],
    ['Model', `${model.name}, ${formatNumberOf(model.parameters, 'parameter')}`],
    [
      'Small transformer',
      `M = ${formatCount(oracle.inputLength)}, L' = ${oracle.layers}, H' = ${oracle.heads}, ${oracle.causal ? 'masks causally' : 'no mask of its own'}, ${construction}`,
    ],
    ['Plan', `${formatNumberOf(plan.blocks, 'block')}, ${formatNumberOf(plan.tiles, 'tile')} per head, ${formatFlops(plan.flops)}`],
    [
      'Calls',
      `${formatCount(run.calls.total)}: ${formatCount(run.calls.attention)} attention, ${formatCount(run.calls.tokenwise)} token-wise, in ${formatNumberOf(run.calls.dispatches, 'native run')}`,
    ],
    ...(outsideBox === undefined ? [] : [['Outside the box', outsideBoxText(outsideBox, plan.flops)] as const]),
    ['Bound', `${formatNumberOf(plan.bound.calls, 'attention call')} (${plan.bound.theorem}: ${plan.bound.formula})`],
    ['Time', `${formatDuration(run.wallMs)}${prediction === null ? '' : `, expected ${expectedDuration(prediction)}`}`],
    ['Peak memory', peakText(run)],
    [
      'Fidelity',
      fidelity === null
        ? none
        : `max abs error ${formatError(fidelity.maxAbsError)}, relative ${formatError(fidelity.maxRelError)}, log-normaliser ${formatError(fidelity.logNormaliserError)}, against ${fidelity.reference} (${checkedRows(fidelity, prompt.tokens)})`,
    ],
    ['Verdict', verdictText(verdict)],
    ...(choice === undefined ? [] : choiceLines(choice).map((line): Figure => ['Chosen tiles', line])),
    ['Quality', quality === null ? (qualityNote ?? none) : qualityText(quality, quality)],
    ...(quality?.byTraining ? byTrainingFigures(quality.byTraining, quality) : []),
    ...(quality === null
      ? []
      : scopeRows(quality, (part) => qualityText(part, quality)).map(([name, words]): Figure => [`Quality, ${name}`, words])),
    [
      'Ran on',
      `${run.provider}: ${run.device}, ${formatNumberOf(run.threads, 'thread')}, ${run.executor}, ${run.precision}${run.activations ? `, ${run.activations} activations` : ''}`,
    ],
    [
      'Environment',
      `Two Heads ${environment.twoHeads}, ONNX Runtime ${environment.onnxruntime}, Node ${environment.node}, ${environment.platform}, ${environment.cpu}`,
    ],
    ['Date', environment.date],
    ...notesOf({ plan, prediction }).map((note): Figure => ['Note', note]),
  ];
}

/** Quality on the two sides of the trained length. */
function byTrainingFigures({ trainedTokens, within, past }: QualityByTraining, how: HowCompared): Figure[] {
  const trained = formatCount(trainedTokens);
  return [
    [`Quality within ${trained} tokens`, qualityText(within, how)],
    [`Quality past ${trained} tokens`, qualityText(past, how)],
  ];
}

/** How the baseline was computed. */
type HowCompared = Pick<Quality, 'ownBaseline' | 'baselineBy'>;

function qualityText(
  { perplexity, baselinePerplexity, meanKl, topAgreement }: PositionsQuality,
  { ownBaseline, baselineBy }: HowCompared,
): string {
  if (ownBaseline === true) {
    return `perplexity ${formatFigure(perplexity)}; ${ownBaselineText()}`;
  }
  const baseline = baselineBy === 'dense' ? 'dense baseline' : 'baseline';
  return `perplexity ${formatFigure(perplexity)} (${baseline} ${formatFigure(baselinePerplexity)}), mean KL ${formatFigure(meanKl)} nats, same top token ${formatShare(topAgreement)}`;
}

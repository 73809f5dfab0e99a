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
import { contextLength, contextText } from '../plan/context-length';
import { scenarioLabel } from '../scenario/scenario';
import type { PositionsQuality, QualityByTraining, RunReport } from './report';

/** A name and what it is, as people read them. Values may hold text out of files. */
type Figure = readonly [name: string, value: string];

const none = 'not measured';

/** What sums up a run in a table of many. The first column names the run. */
export const summaryColumns: readonly { readonly title: string; readonly numeric: boolean; readonly of: (report: RunReport) => string }[] =
  [
    { title: 'Scenario', numeric: false, of: ({ scenario }) => scenarioLabel(scenario) },
    { title: 'Prompt', numeric: false, of: ({ prompt }) => fileName(prompt.path) },
    { title: 'Construction', numeric: false, of: ({ construction }) => construction },
    { title: 'M', numeric: true, of: ({ oracle }) => formatCount(oracle.inputLength) },
    { title: 'Tokens', numeric: true, of: ({ prompt }) => formatCount(prompt.tokens) },
    { title: 'Calls', numeric: true, of: ({ run }) => formatCount(run.calls.total) },
    { title: 'Time', numeric: true, of: ({ run }) => formatDuration(run.wallMs) },
    { title: 'Peak memory', numeric: true, of: ({ run }) => formatBytes(run.peakRssBytes) },
    { title: 'Max abs error', numeric: true, of: ({ fidelity }) => (fidelity === null ? '-' : formatError(fidelity.maxAbsError)) },
    { title: 'Perplexity', numeric: true, of: ({ quality }) => (quality === null ? '-' : formatFigure(quality.perplexity)) },
    { title: 'Mean KL, nats', numeric: true, of: ({ quality }) => (quality === null ? '-' : formatFigure(quality.meanKl)) },
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
  run,
  prediction,
  fidelity,
  quality,
  qualityNote,
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
    ['Bound', `${formatNumberOf(plan.bound.calls, 'attention call')} (${plan.bound.theorem}: ${plan.bound.formula})`],
    ['Time', `${formatDuration(run.wallMs)}${prediction === null ? '' : `, expected ${formatDuration(prediction.wallMs)}`}`],
    ['Peak memory', formatBytes(run.peakRssBytes)],
    [
      'Fidelity',
      fidelity === null
        ? none
        : `max abs error ${formatError(fidelity.maxAbsError)}, relative ${formatError(fidelity.maxRelError)}, log-normaliser ${formatError(fidelity.logNormaliserError)}, against ${fidelity.reference}`,
    ],
    ['Quality', quality === null ? (qualityNote ?? none) : qualityText(quality)],
    ...(quality?.byTraining ? byTrainingFigures(quality.byTraining) : []),
    ['Ran on', `${run.provider}: ${run.device}, ${formatNumberOf(run.threads, 'thread')}, ${run.executor}, ${run.precision}`],
    [
      'Environment',
      `Two Heads ${environment.twoHeads}, ONNX Runtime ${environment.onnxruntime}, Node ${environment.node}, ${environment.platform}, ${environment.cpu}`,
    ],
    ['Date', environment.date],
    ...plan.notes.map((note): Figure => ['Note', note]),
  ];
}

/** Quality on the two sides of the trained length. */
function byTrainingFigures({ trainedTokens, within, past }: QualityByTraining): Figure[] {
  const trained = formatCount(trainedTokens);
  return [
    [`Quality within ${trained} tokens`, qualityText(within)],
    [`Quality past ${trained} tokens`, qualityText(past)],
  ];
}

function qualityText({ perplexity, baselinePerplexity, meanKl, topAgreement }: PositionsQuality): string {
  return `perplexity ${formatFigure(perplexity)} (baseline ${formatFigure(baselinePerplexity)}), mean KL ${formatFigure(meanKl)} nats, same top token ${formatShare(topAgreement)}`;
}

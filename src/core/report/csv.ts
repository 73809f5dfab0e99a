import { notesOf } from '../hints/expected';
import { numberParameters, parametersOf, textParameters } from '../scenario/scenario';
import { visibleLines } from '../text/printable';
import { timesOf } from './phases';
import type { RunReport } from './report';

type Cell = string | number | boolean | null | undefined;

/** Columns of the file: a name with its unit, and the number as the report has it. */
const columns: readonly (readonly [title: string, of: (report: RunReport) => Cell])[] = [
  ['date (ISO 8601)', ({ environment }) => environment.date],
  ['prompt', ({ prompt }) => prompt.path],
  ['prompt (bytes)', ({ prompt }) => prompt.bytes],
  ['prompt SHA-256', ({ prompt }) => prompt.sha256],
  ['N (tokens)', ({ prompt }) => prompt.tokens],
  ['model', ({ model }) => model.name],
  ['parameters', ({ model }) => model.parameters],
  ['trained length (tokens)', ({ model }) => model.shape.trainedTokens],
  ['positions (tokens)', ({ model }) => model.shape.maximumTokens],
  ['scenario', ({ scenario }) => scenario.kind],
  ...numberParameters.map(
    ({ name, unit }) =>
      [unit === undefined ? name : `${name} (${unit})`, ({ scenario }: RunReport) => parametersOf(scenario)[name]] as const,
  ),
  ...textParameters.map(({ name, flag }) => [flag, ({ scenario }: RunReport) => parametersOf(scenario)[name]] as const),
  ['construction', ({ construction }) => construction],
  ['M (tokens)', ({ oracle }) => oracle.inputLength],
  ["L' (layers)", ({ oracle }) => oracle.layers],
  ["H' (heads)", ({ oracle }) => oracle.heads],
  ['blocks', ({ plan }) => plan.blocks],
  ['tiles per head', ({ plan }) => plan.tiles],
  ['planned calls', ({ plan }) => plan.calls.total],
  ['bound (attention calls)', ({ plan }) => plan.bound.calls],
  ['rounds', ({ plan }) => plan.rounds],
  ['work (FLOP)', ({ plan }) => plan.flops],
  ['attention work (FLOP)', ({ plan }) => plan.flopsByPhase.attend],
  ['planned tensors (bytes)', ({ plan }) => plan.bytes],
  ['expected time (ms)', ({ prediction }) => prediction?.wallMs],
  ['expected at least (ms)', ({ prediction }) => prediction?.interval?.lowMs],
  ['expected at most (ms)', ({ prediction }) => prediction?.interval?.highMs],
  ['time (ms)', ({ run }) => run.wallMs],
  ['tokenize (ms)', ({ run }) => run.phases.tokenize],
  ['project (ms)', ({ run }) => run.phases.project],
  ['gather (ms)', ({ run }) => run.phases.gather],
  ['attend (ms)', ({ run }) => run.phases.attend],
  ['merge (ms)', ({ run }) => run.phases.merge],
  ['layer (ms)', ({ run }) => run.phases.layer],
  ['mlp (ms)', ({ run }) => run.phases.mlp],
  ['other (ms)', ({ run }) => timesOf(run).within.find(([phase]) => phase === 'other')?.[1]],
  ['verify (ms)', ({ run }) => run.phases.verify],
  ['quality (ms)', ({ run }) => run.phases.quality],
  ['calls', ({ run }) => run.calls.total],
  ['attention calls', ({ run }) => run.calls.attention],
  ['token-wise calls', ({ run }) => run.calls.tokenwise],
  ['repeated calls', ({ run }) => run.calls.retries],
  ['dispatches', ({ run }) => run.calls.dispatches],
  ['peak memory (bytes)', ({ run }) => run.peakRssBytes],
  ['expected peak memory (bytes)', ({ run }) => run.memory?.peak],
  ['memory: process (bytes)', ({ run }) => run.memory?.process],
  ['memory: weights (bytes)', ({ run }) => run.memory?.weights],
  ['memory: layers (bytes)', ({ run }) => run.memory?.run],
  ['memory: check (bytes)', ({ run }) => run.memory?.verify],
  ['memory: quality (bytes)', ({ run }) => run.memory?.quality],
  ['max abs error', ({ fidelity }) => fidelity?.maxAbsError],
  ['max rel error', ({ fidelity }) => fidelity?.maxRelError],
  ['log-normaliser error (nats)', ({ fidelity }) => fidelity?.logNormaliserError],
  ['rows against float64 (per head and layer)', ({ fidelity }) => fidelity?.rows],
  ['probe rows', ({ fidelity }) => fidelity?.probe?.rows],
  ['probe: max rel error', ({ fidelity }) => fidelity?.probe?.maxRelError],
  ['seed of the check', ({ fidelity }) => fidelity?.seed],
  ['chosen tiles (per layer)', ({ choice }) => choice?.tiles],
  ['sampled tiles (per layer)', ({ choice }) => choice?.sampled],
  ['chosen tiles: median error against all tiles', ({ choice }) => choice?.measured.median],
  ['chosen tiles: ninetieth percentile', ({ choice }) => choice?.measured.ninetiethPercentile],
  ['chosen tiles: median error estimated', ({ choice }) => choice?.estimated?.median],
  ['chosen tiles: ninetieth percentile estimated', ({ choice }) => choice?.estimated?.ninetiethPercentile],
  ['chosen tiles: rows within twice their estimate (share)', ({ choice }) => choice?.estimated?.within],
  ['verdict', ({ verdict }) => verdict.kind],
  ['verdict: bound', ({ verdict }) => verdict.bound],
  ['verdict: measured', ({ verdict }) => verdict.measured],
  ['verdict: reason', ({ verdict }) => verdict.reason],
  ['perplexity', ({ quality }) => quality?.perplexity],
  ['baseline perplexity', ({ quality }) => quality?.baselinePerplexity],
  ['mean KL (nats)', ({ quality }) => quality?.meanKl],
  ['same top token (share)', ({ quality }) => quality?.topAgreement],
  ['perplexity within trained length', ({ quality }) => quality?.byTraining?.within.perplexity],
  ['baseline perplexity within trained length', ({ quality }) => quality?.byTraining?.within.baselinePerplexity],
  ['mean KL within trained length (nats)', ({ quality }) => quality?.byTraining?.within.meanKl],
  ['perplexity past trained length', ({ quality }) => quality?.byTraining?.past.perplexity],
  ['baseline perplexity past trained length', ({ quality }) => quality?.byTraining?.past.baselinePerplexity],
  ['mean KL past trained length (nats)', ({ quality }) => quality?.byTraining?.past.meanKl],
  ['own baseline', ({ quality }) => quality?.ownBaseline],
  ['baseline computed by', ({ quality }) => quality?.baselineBy],
  ['score', ({ quality }) => quality?.score],
  ['scored positions', ({ quality }) => quality?.positions],
  ['touched positions', ({ quality }) => quality?.touched?.positions],
  ['perplexity at touched positions', ({ quality }) => quality?.touched?.perplexity],
  ['baseline perplexity at touched positions', ({ quality }) => quality?.touched?.baselinePerplexity],
  ['mean KL at touched positions (nats)', ({ quality }) => quality?.touched?.meanKl],
  ['same top token at touched positions (share)', ({ quality }) => quality?.touched?.topAgreement],
  ['bits per byte', ({ quality }) => quality?.bitsPerByte ?? undefined],
  ['baseline bits per byte', ({ quality }) => quality?.baselineBitsPerByte ?? undefined],
  ['word perplexity', ({ quality }) => quality?.wordPerplexity ?? undefined],
  ['baseline word perplexity', ({ quality }) => quality?.baselineWordPerplexity ?? undefined],
  ['provider', ({ run }) => run.provider],
  ['device', ({ run }) => run.device],
  ['threads', ({ run }) => run.threads],
  ['executor', ({ run }) => run.executor],
  ['precision', ({ run }) => run.precision],
  ['activations', ({ run }) => run.activations ?? 'float32'],
  ['Two Heads', ({ environment }) => environment.twoHeads],
  ['ONNX Runtime', ({ environment }) => environment.onnxruntime],
  ['platform', ({ environment }) => environment.platform],
  ['quality: note', ({ qualityNote, quality }) => [qualityNote, quality?.touchedNote, quality?.sizeNote].filter(Boolean).join(' ')],
  ['notes', (report) => notesOf(report).join(' ')],
];

/** Runs as CSV (RFC 4180): a header, and a row for each run. What was not measured is an empty field; what is not finite is its word. */
export function csvReport(reports: readonly RunReport[]): string {
  const rows = [columns.map(([title]) => title), ...reports.map((report) => columns.map(([, of]) => cell(of(report))))];
  return rows.map((row) => `${row.map(field).join(',')}\r\n`).join('');
}

function cell(value: Cell): string {
  if (typeof value === 'string') {
    return visibleLines(inert(value));
  }
  return value === null || value === undefined ? '' : String(value);
}

/**
 * What makes a cell a formula, also in its full width, behind what spreadsheets pass over. A cell begins where the text does,
 * and where a spreadsheet with another separator than the comma cuts it.
 */
const formula = /(^|[;\t\r\n])([\s\p{Cc}\p{Cf}"]*)([=+\-@＝＋－＠])/gu;

/** Text that no spreadsheet takes for a formula: the apostrophe before it is what they write themselves. */
function inert(text: string): string {
  const safe = text.replace(formula, (_, separator: string, passedOver: string, sign: string) => `${separator}'${passedOver}${sign}`);
  return /^[\t\r\n]/.test(safe) ? `'${safe}` : safe;
}

function field(text: string): string {
  return /[",;\t\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

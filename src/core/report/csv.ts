import { numberParameters, parametersOf, textParameters } from '../scenario/scenario';
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
  ['planned memory (bytes)', ({ plan }) => plan.bytes],
  ['expected time (ms)', ({ prediction }) => prediction?.wallMs],
  ['time (ms)', ({ run }) => run.wallMs],
  ['tokenize (ms)', ({ run }) => run.phases.tokenize],
  ['project (ms)', ({ run }) => run.phases.project],
  ['gather (ms)', ({ run }) => run.phases.gather],
  ['attend (ms)', ({ run }) => run.phases.attend],
  ['merge (ms)', ({ run }) => run.phases.merge],
  ['layer (ms)', ({ run }) => run.phases.layer],
  ['mlp (ms)', ({ run }) => run.phases.mlp],
  ['verify (ms)', ({ run }) => run.phases.verify],
  ['quality (ms)', ({ run }) => run.phases.quality],
  ['calls', ({ run }) => run.calls.total],
  ['attention calls', ({ run }) => run.calls.attention],
  ['token-wise calls', ({ run }) => run.calls.tokenwise],
  ['repeated calls', ({ run }) => run.calls.retries],
  ['dispatches', ({ run }) => run.calls.dispatches],
  ['peak memory (bytes)', ({ run }) => run.peakRssBytes],
  ['max abs error', ({ fidelity }) => fidelity?.maxAbsError],
  ['max rel error', ({ fidelity }) => fidelity?.maxRelError],
  ['log-normaliser error (nats)', ({ fidelity }) => fidelity?.logNormaliserError],
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
  ['provider', ({ run }) => run.provider],
  ['device', ({ run }) => run.device],
  ['threads', ({ run }) => run.threads],
  ['executor', ({ run }) => run.executor],
  ['precision', ({ run }) => run.precision],
  ['Two Heads', ({ environment }) => environment.twoHeads],
  ['ONNX Runtime', ({ environment }) => environment.onnxruntime],
  ['platform', ({ environment }) => environment.platform],
  ['notes', ({ plan }) => plan.notes.join(' ')],
];

/** Runs as CSV (RFC 4180): a header, and a row for each run. What was not measured, or is not finite, is an empty field. */
export function csvReport(reports: readonly RunReport[]): string {
  const rows = [columns.map(([title]) => title), ...reports.map((report) => columns.map(([, of]) => cell(of(report))))];
  return rows.map((row) => `${row.map(field).join(',')}\r\n`).join('');
}

function cell(value: Cell): string {
  if (typeof value === 'string') {
    return inert(value);
  }
  return value === null || value === undefined || (typeof value === 'number' && !Number.isFinite(value)) ? '' : String(value);
}

/** Text that no spreadsheet takes for a formula: the apostrophe before it is what they write themselves. */
function inert(text: string): string {
  return /^\s*[=+\-@]|^[\t\r\n]/.test(text) ? `'${text}` : text;
}

function field(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

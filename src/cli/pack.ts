import { InputError } from '../core/errors';
import { formatBytes, formatCompact, formatCount, formatDuration, formatError, formatFigure, formatNumberOf } from '../core/format';
import type { Option } from '../core/options/option';
import { type PackMeasurements, type PackReport, packTable } from '../core/pack/report';
import { failOn, verdictText } from '../core/report/verdict';
import { plainSource, type PromptSource } from '../core/source/options';
import { type Prompt, promptFromText, readPrompt, readPrompts } from '../engine/read/prompt';
import { runPack } from '../engine/tasks/pack/pack';
import { type Io, jsonOption, print, progressPrinter } from './io';
import { type Command, textGiven, valuesOf } from './options';
import { sourceFrom, sourceOptions } from './source';
import { pairs, table } from './table';

const listOption: Option = {
  flag: 'list',
  symbol: 'file',
  description: 'A text file with one short prompt on each line, or - for standard input.',
  value: { type: 'text' },
};

/** `two-heads pack`: many prompts as one call without a mask, compared with each alone. */
export const packCommand: Command = {
  usage: 'pack [paths...]',
  description: 'run many short prompts as one call without a mask',
  options: [listOption, ...Object.values(packTable), ...sourceOptions, jsonOption],
  run: async (paths, given, io) => {
    const options = valuesOf(packTable, given);
    const prompts = await packedPrompts(paths, textGiven(listOption, given), await sourceFrom(given), io);
    const report = await runPack(prompts, options, { ...io, onProgress: progressPrinter(io, 'pack') });
    print(io, given, report, () => packText(report));
    failOn(report.verdict, 'The pack');
  },
};

/** The prompts of files, of folders and of a list, in this order. @throws InputError that names the path and the fix */
async function packedPrompts(paths: readonly string[], list: string | undefined, source: PromptSource, { stdin }: Io): Promise<Prompt[]> {
  if ([...paths, list].filter((path) => path === '-').length > 1) {
    throw new InputError('Standard input (-) is named twice and can be read once; name it once.');
  }
  const prompts = await readPrompts(paths, stdin, source);
  return list === undefined
    ? prompts
    : [...prompts, ...linesOf(await readPrompt(list, stdin), { ...plainSource, as: 'text', variables: source.variables })];
}

/** The lines of a list that are not blank, each a prompt of its own. */
function linesOf({ path, text }: Prompt, source: PromptSource): Prompt[] {
  const prompts = text
    .split(/\r?\n/)
    .flatMap((line, index) => (line.trim() === '' ? [] : [promptFromText(`${path}:${index + 1}`, line, source)]));
  if (prompts.length === 0) {
    throw new InputError(`--list ${path} holds only blank lines; put one prompt on each line.`);
  }
  return prompts;
}

/** A pack as a person reads it. */
function packText({
  prompts,
  scenario,
  model,
  packed,
  separate,
  bound,
  fidelity,
  difference,
  verdict,
  run,
  extension,
}: PackReport): string {
  const way = ({ calls, scores, attendMs, wallMs }: PackMeasurements): string =>
    `${formatNumberOf(calls, 'attention call')}, ${formatCompact(scores)} scores, ${formatDuration(attendMs)} in attention, ${formatDuration(wallMs)} in all`;
  const losses = prompts.some(({ loss }) => loss !== null);
  const nats = (loss: number | undefined): string => (loss === undefined ? '-' : formatFigure(loss));
  return [
    `${formatNumberOf(prompts.length, 'prompt')} packed into ${formatNumberOf(packed.tokens, 'token')} under ${scenario.kind}, ${model.name}, no mask input`,
    pairs([
      ['packed', way(packed)],
      ['separate', way(separate)],
      ['bound', `${formatCount(bound.calls)} attention calls (${bound.theorem}: ${bound.formula}, one a layer with all its heads)`],
      [
        'separation',
        `${packed.separationWidth} columns beside a head's ${model.shape.headWidth}; weight leaked to other prompts: ${formatError(fidelity.leak)}`,
      ],
      [
        'fidelity',
        `max abs error ${formatError(fidelity.maxAbsError)}, relative ${formatError(fidelity.maxRelError)} (${formatNumberOf(fidelity.rows, 'row')} a head and layer, against float64 of each prompt alone)`,
      ],
      [
        'difference',
        `max abs ${formatError(difference.maxAbsError)}, relative ${formatError(difference.maxRelError)} (last residual stream, packed against separate)`,
      ],
      ['verdict', verdictText(verdict)],
      ['ran on', `${run.provider}: ${run.device}, ${formatNumberOf(run.threads, 'thread')}, peak memory ${formatBytes(run.peakRssBytes)}`],
    ]),
    ...(extension === null ? [] : [`  note: ${extension}`]),
    ...new Set(prompts.flatMap(({ notes }) => notes.map((note) => `  note: ${note}`))),
    '',
    table(
      ['prompt', 'tokens', 'max abs diff', 'relative', ...(losses ? ['loss packed', 'loss alone'] : [])],
      prompts.map(({ path, tokens, maxAbsError, maxRelError, loss }) => [
        path,
        formatCount(tokens),
        formatError(maxAbsError),
        formatError(maxRelError),
        ...(losses ? [nats(loss?.packed), nats(loss?.separate)] : []),
      ]),
    ),
  ].join('\n');
}

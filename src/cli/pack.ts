import type { Command } from 'commander';
import { InputError } from '../core/errors';
import { formatBytes, formatCompact, formatCount, formatDuration, formatError, formatFigure, formatNumberOf } from '../core/format';
import { oneOf, providers, wholeNumber } from '../core/options/options';
import { maximumTokens } from '../core/plan/partition';
import { defaultPackOptions, packScenarios, type PackMeasurements, type PackOptions, type PackReport } from '../core/pack/report';
import { runPack } from '../engine/tasks/pack/pack';
import { type Prompt, promptFromText, readPrompt, readPrompts } from '../engine/read/prompt';
import type { Surroundings } from './commands';
import { print } from './print';
import { progressPrinter } from './progress';
import { pairs, table } from './text';

/** Flags of `pack` as the command line gives them. */
export interface PackFlags {
  readonly list?: string;
  readonly scenario: string;
  readonly model: string;
  readonly provider: string;
  readonly threads: string;
  readonly maxTokens: string;
  readonly json?: boolean;
}

/** Adds the flags of `pack`. */
export function addPackFlags(command: Command): Command {
  return command
    .option('--list <file>', 'a text file with one short prompt per line, or - for standard input')
    .option('--scenario <kind>', `what the call does by itself: ${packScenarios.join(', ')}`, defaultPackOptions.scenario)
    .option('--model <folder or name>', 'large transformer: a Llama folder or the embedded model', defaultPackOptions.model)
    .option('--provider <name>', `execution provider: ${providers.join(', ')}`, defaultPackOptions.provider)
    .option('--threads <n>', 'threads of ONNX Runtime; 0 takes every core', String(defaultPackOptions.threads))
    .option('--max-tokens <n>', 'refuse more tokens than this together', String(defaultPackOptions.maxTokens))
    .option('--json', 'print one JSON document on stdout');
}

/** `two-heads pack`: many prompts as one call without a mask, held against each alone. */
export async function packCommand(paths: readonly string[], flags: PackFlags, surroundings: Surroundings): Promise<void> {
  const options = packOptions(flags);
  const prompts = await packedPrompts(paths, flags.list);
  const report = await runPack(prompts, options, { ...surroundings, onProgress: progressPrinter(process.stderr, 'pack') });
  print(flags, report, () => packText(report));
}

function packOptions(flags: PackFlags): PackOptions {
  return {
    model: flags.model,
    scenario: oneOf('Scenario', flags.scenario, packScenarios),
    provider: oneOf('Provider', flags.provider, providers),
    threads: wholeNumber('--threads', flags.threads, 0, 1024),
    maxTokens: wholeNumber('--max-tokens', flags.maxTokens, 1, maximumTokens),
  };
}

/** The prompts of files, of folders and of a list, in this order. @throws InputError that names the path and the fix */
async function packedPrompts(paths: readonly string[], list: string | undefined): Promise<Prompt[]> {
  if ([...paths, list].filter((path) => path === '-').length > 1) {
    throw new InputError('Standard input (-) is named twice and can be read once; name it once.');
  }
  const prompts = await readPrompts(paths);
  return list === undefined ? prompts : [...prompts, ...linesOf(await readPrompt(list))];
}

/** The lines of a list that are not blank, each a prompt of its own. */
function linesOf({ path, text }: Prompt): Prompt[] {
  const prompts = text.split(/\r?\n/).flatMap((line, index) => (line.trim() === '' ? [] : [promptFromText(`${path}:${index + 1}`, line)]));
  if (prompts.length === 0) {
    throw new InputError(`--list ${path} holds only blank lines; put one prompt on each line.`);
  }
  return prompts;
}

/** A pack as a person reads it. */
function packText({ prompts, scenario, model, packed, separate, bound, fidelity, difference, run, extension }: PackReport): string {
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
        `max abs error ${formatError(fidelity.maxAbsError)}, relative ${formatError(fidelity.maxRelError)} (${formatCount(fidelity.rows)} rows a head and layer, against float64 of each prompt alone)`,
      ],
      [
        'difference',
        `max abs ${formatError(difference.maxAbsError)}, relative ${formatError(difference.maxRelError)} (last residual stream, packed against separate)`,
      ],
      ['ran on', `${run.provider}: ${run.device}, ${run.threads} threads, peak memory ${formatBytes(run.peakRssBytes)}`],
    ]),
    ...(extension === null ? [] : [`  note: ${extension}`]),
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

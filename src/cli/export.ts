import { rm } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Command } from 'commander';
import { InputError } from '../core/errors';
import { formatBytes, formatCount, formatNumberOf } from '../core/format';
import { scenarioLabel } from '../core/scenario/scenario';
import { defaultOptions, oneOf, wholeNumber } from '../core/options/options';
import { maximumTokens } from '../core/plan/partition';
import { makePlan } from '../core/plan/plan';
import { planRequest } from '../core/plan/request';
import { exportGraph, exportParts, type ExportedGraph, type ExportSummary } from '../engine/tasks/export';
import { loadModel, openModel } from '../engine/read/model/load';
import { exists } from '../engine/read/model/regular-file';
import type { Surroundings } from './commands';
import { checkWritable, writeWhole } from './files';
import { optionsFrom, type Flags } from './flags';
import { print } from './print';
import { pairs } from './text';

/** Flags of `two-heads export` as text: those of a plan, and what only an export has. */
export interface ExportFlags {
  readonly tokens: string;
  readonly part: string;
  readonly scenario: string;
  readonly window?: string;
  readonly sinks?: string;
  readonly seed?: string;
  readonly cycle?: string;
  readonly block: string;
  readonly oracleLayers?: string;
  readonly oracleHeads?: string;
  readonly model: string;
  readonly json?: boolean;
}

/** Adds the flags of `two-heads export`; the scenario's is added where all commands' are. */
export function addExportFlags(command: Command): Command {
  return command
    .requiredOption('--tokens <N>', 'length of the sequence that the graph is for')
    .option('--part <name>', `what to export: ${exportParts.join(', ')} (one layer's, or the whole model)`, 'attention')
    .option('--window <r>', 'window of sliding-window, attention-sink and local-window (512)')
    .option('--sinks <s>', 'sinks of attention-sink (4)')
    .option('--seed <n>', 'seed of average-case (1)')
    .option('--block <M>', 'tokens that a call of the small transformer reads', String(defaultOptions.blockSize))
    .option('--oracle-layers <n>', "layers L' of the small transformer (1)")
    .option('--oracle-heads <n>', "heads H' of the small transformer (the model's)")
    .option('--model <folder or name>', 'large transformer: a folder as Hugging Face has them, or the included model', defaultOptions.model)
    .option('--json', 'print one JSON document on stdout');
}

/** `two-heads export`: the graph of small-transformer calls for a shape, a scenario and M, as an ONNX file. */
export async function exportCommand(path: string, flags: ExportFlags, { modelsFolder }: Surroundings): Promise<void> {
  const tokens = wholeNumber('--tokens', flags.tokens, 1, maximumTokens);
  const part = oneOf('Part', flags.part, exportParts);
  if (!path.endsWith('.onnx')) {
    throw new InputError(`${path} is not the name of an ONNX file; end it in .onnx.`);
  }
  if (flags.block === 'auto') {
    throw new InputError('--block auto is for runs on this machine; give a graph its number of tokens.');
  }
  const { provider, threads, verify, construction, quality } = defaultOptions;
  const standard: Flags = { ...flags, provider, threads: String(threads), verify, construction, quality };
  await checkWritable(path, outputName);
  const folder = await openModel(flags.model, modelsFolder);
  const plan = makePlan(planRequest(tokens, folder.config.shape, optionsFrom(standard)));
  const exported = await exportGraph(plan, part, () => loadModel(folder), basename(dataPathOf(path)));
  await writeExport(path, exported);
  print(flags, { path, ...exported.summary }, () => exportText(path, scenarioLabel(plan.scenario), exported.summary));
}

/**
 * Writes an exported graph: the model, and its large constants beside it where they are apart. Both or neither.
 *
 * @throws InputError where a file cannot be written, or the constants would replace another file's
 */
export async function writeExport(path: string, { model, data }: Pick<ExportedGraph, 'model' | 'data'>): Promise<void> {
  const dataPath = dataPathOf(path);
  if (data.length === 0) {
    return writeWhole(path, model, outputName);
  }
  // An older model may still read its constants there.
  if (await exists(dataPath)) {
    throw new InputError(
      `${dataPath} exists, and the constants of ${basename(path)} would go there; remove it or give another name than ${basename(path)}.`,
    );
  }
  await writeWhole(dataPath, data, outputName);
  try {
    await writeWhole(path, model, outputName);
  } catch (error) {
    await rm(dataPath, { force: true });
    throw error;
  }
}

/** The file for the large constants of a model. */
function dataPathOf(path: string): string {
  return `${path}.data`;
}

/** What the path is to the user, for refusals. */
const outputName = 'Output file';

function exportText(path: string, scenario: string, summary: ExportSummary): string {
  const { part, tokens, inputLength, calls, nodes, bytes, externalBytes, opset, irVersion, functions } = summary;
  return [
    `${path}: ${part} of ${formatNumberOf(tokens, 'token')} under ${scenario}, M = ${formatCount(inputLength)}`,
    pairs([
      ['attention calls', formatCount(calls)],
      ['nodes', formatCount(nodes)],
      [
        'size',
        externalBytes > 0
          ? `${formatBytes(bytes)}, and ${formatBytes(externalBytes)} of constants in ${basename(path)}.data`
          : formatBytes(bytes),
      ],
      ['ONNX', `opset ${opset}, IR version ${irVersion}`],
      ['functions', functions.join(', ')],
    ]),
  ].join('\n');
}

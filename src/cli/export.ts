import { basename } from 'node:path';
import { InputError } from '../core/errors';
import { formatBytes, formatCount, formatFigure, formatNumberOf } from '../core/format';
import { type OptionTable, pick } from '../core/options/option';
import { optionTable } from '../core/options/table';
import { makePlan } from '../core/plan/plan';
import { planRequest } from '../core/plan/request';
import { partsOf, scenarioLabel } from '../core/scenario/scenario';
import { loadModel, openModel } from '../engine/read/model/load';
import { exists } from '../engine/read/input/regular-file';
import { removeFile } from '../engine/store/files';
import { checkExport, type ExportCheck } from '../engine/tasks/export/check';
import { type ExportedGraph, exportGraph, type ExportRequest, type ExportSummary } from '../engine/tasks/export/export';
import { exportTable } from '../engine/tasks/export/options';
import { jsonOption, print, writeWhole } from './io';
import { type Command, optionsFrom, scenarioOptions, valuesOf } from './options';
import { checkOutputs } from './outputs';
import { pairs } from './table';
import { interruptible } from '../engine/interruptible';

const { blockSize } = optionTable;

/** What shapes the graph besides the scenario: its block size is no matter of this machine's calibration. */
const graphTable = {
  blockSize: { ...blockSize, value: { type: 'whole', minimum: blockSize.value.minimum, maximum: blockSize.value.maximum } },
  ...pick(optionTable, 'oracleLayers', 'oracleHeads', 'model'),
} as const satisfies OptionTable;

/** `two-heads export`: the graph of small-transformer calls for a shape, a scenario and M, as an ONNX file. */
export const exportCommand: Command = {
  usage: 'export <out.onnx>',
  description: 'write the graph of small-transformer calls as an ONNX file',
  options: [...Object.values(exportTable), ...scenarioOptions, ...Object.values(graphTable), jsonOption],
  run: async ([path], given, io) => {
    const { tokens, part, check } = valuesOf(exportTable, given);
    if (!path.endsWith('.onnx')) {
      throw new InputError(`${path} is not the name of an ONNX file; end it in .onnx.`);
    }
    const block = given[blockSize.flag];
    if (block === blockSize.value.zero.word) {
      throw new InputError(`--${blockSize.flag} ${block} is for runs on this machine; give a graph its number of tokens.`);
    }
    const shape = valuesOf(graphTable, given);
    const options = { ...optionsFrom({ ...given, [blockSize.flag]: undefined }), ...shape };
    const [counted] = partsOf(options.scenario);
    if ((counted as string | undefined) !== undefined) {
      throw new InputError(
        `${counted}(q) counts parts of a prompt, and a graph is for every prompt of its length; write the mask without ${counted}.`,
      );
    }
    const outputs = [
      { flag: outputName, path },
      { flag: '--check', path: check ? checkPathOf(path) : undefined },
    ];
    await checkOutputs(outputs, { files: [], model: options.model }, given, io);
    const folder = await openModel(options.model, io.modelsFolder);
    const plan = interruptible(() => makePlan(planRequest(tokens, folder.config.shape, options)));
    const request: ExportRequest = { part, factors: folder.config.run ?? {}, dataName: basename(dataPathOf(path)) };
    const exported = await exportGraph(plan, request, () => loadModel(folder));
    await writeExport(path, exported);
    const checked = check ? await checkExport(path, basename(path), plan, request, () => loadModel(folder)) : undefined;
    if (checked !== undefined) {
      await writeWhole(checkPathOf(path), `${JSON.stringify(checked, null, 2)}\n`, '--check');
    }
    const summary = { path, ...exported.summary, ...(checked && { check: checkSummary(path, checked) }) };
    print(io, given, summary, () => exportText(path, scenarioLabel(plan.scenario), exported.summary, checked));
    if (checked?.passed === false) {
      throw new Error(`${path} does not give what it is to give: ${differencesText(checked)}; see ${checkPathOf(path)}`);
    }
  },
};

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
    await removeFile(dataPath);
    throw error;
  }
}

/** The file for the large constants of a model. */
function dataPathOf(path: string): string {
  return `${path}.data`;
}

/** The file for inputs and expected outputs. */
function checkPathOf(path: string): string {
  return `${path}.check.json`;
}

/** A check without its tensors. */
function checkSummary(path: string, { reference, reader, outputs, passed }: ExportCheck): object {
  const measured = Object.entries(outputs).map(
    ([name, output]) => [name, { measured: output.measured, tolerance: output.tolerance }] as const,
  );
  return { path: checkPathOf(path), reader, reference, outputs: Object.fromEntries(measured), passed };
}

function differencesText({ outputs }: ExportCheck): string {
  return Object.entries(outputs)
    .map(([name, { measured, tolerance }]) => {
      const difference = typeof measured === 'number' ? formatFigure(measured) : measured;
      return `${name} within ${difference} (${formatFigure(tolerance)} allowed)`;
    })
    .join(', ');
}

/** What the path is to the user, for refusals. */
const outputName = 'Output file';

function exportText(path: string, scenario: string, summary: ExportSummary, checked?: ExportCheck): string {
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
      ...(checked === undefined
        ? []
        : [
            [
              'check',
              `${checked.passed ? 'passed' : 'FAILED'}, ${checked.reader}: ${differencesText(checked)}; in ${checkPathOf(path)}`,
            ] as const,
          ]),
    ]),
  ].join('\n');
}

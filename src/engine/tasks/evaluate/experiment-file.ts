import { dirname, isAbsolute, join, resolve } from 'node:path';
import { z } from 'zod';
import { InputError } from '../../../core/errors';
import {
  defaultExperiment,
  type Experiment,
  experimentTable,
  experimentVersion,
  resultsOption,
  scenarioOf,
} from '../../../core/evaluate/experiment';
import { needleTable } from '../../../core/evaluate/needles';
import { choiceDefinitions } from '../../../core/scenario/scenario';
import { parseJson } from '../../read/input/json';
import { inputLimits } from '../../read/input/limits';
import { exists } from '../../read/input/regular-file';
import { readRegularText } from '../../read/input/text';
import { isStored } from '../../read/model/found/resolve';
import { fieldsOf, schemaOf } from '../../read/option-schema';

/** What a scenario is written as, and the pattern of it, for those that are one of all layers. */
const written = choiceDefinitions
  .filter(({ kind }) => kind !== 'per-layer')
  .map(({ kind, parameters, text }) => ({
    form: [kind, ...parameters.map(({ name }) => name), ...(text === undefined ? [] : [text.name])].join(':'),
    pattern: text === undefined ? `${kind}(:[0-9]+)*` : `${kind}(:.+)?`,
  }));
const forms = written.map(({ form }) => form).join(', ');

const scenario = z
  .string()
  .regex(new RegExp(`^(${written.map(({ pattern }) => pattern).join('|')})$`), `is no scenario; use one of ${forms}`);

const { lengths, depths, ...needleTexts } = fieldsOf(needleTable);
const needle = z
  .strictObject({ lengths, depths, ...needleTexts })
  .describe('Needles that are hidden in the text of the prompts: a test for every length and depth, under every scenario.');

const { model, blocks, construction, oracleLayers, oracleHeads, context, stride, maximumWindows, ...runOptions } =
  fieldsOf(experimentTable);

/** The experiment file. What it says of each field is what editors show. */
const experimentSchema = z
  .strictObject({
    $schema: z.string().optional().describe('Where an editor finds the schema of this file.'),
    version: z.literal(experimentVersion).describe('Version of this format.'),
    prompts: z
      .array(z.string().min(1))
      .min(1)
      .describe(
        'Prompt files, and folders that stand for the .md, .txt, .prompt, .prompty and .jsonl files in them; relative to this file.',
      ),
    model: model.describe('The name of a model that ships with Two Heads, or a folder as Hugging Face has them, relative to this file.'),
    scenarios: z
      .array(z.union([scenario, z.array(scenario).min(1)]))
      .min(1)
      .default(() => [...defaultExperiment.scenarios].map(String))
      .describe(
        `Masking scenarios: ${forms}; numbers that are left out have their defaults. A list of scenarios is one for each layer, repeated to the last layer.`,
      ),
    variables: z
      .record(z.string(), z.union([z.string(), z.number().transform(String)]))
      .default(() => ({ ...defaultExperiment.variables }))
      .describe('Values of variables, which the prompts have as {{name}}.'),
    blocks,
    construction,
    oracleLayers,
    oracleHeads,
    context,
    stride,
    maximumWindows,
    needle: needle.nullable().default(null),
    ...runOptions,
    results: schemaOf(resultsOption)
      .nullable()
      .default(defaultExperiment.results)
      .describe(`${resultsOption.description} It is relative to this file; null keeps none.`),
  })
  .meta({
    title: 'Two Heads experiment',
    description: 'What attention scenarios cost and what they do to a model: everything that repeats the evaluation.',
  });

/**
 * Reads an experiment file.
 *
 * @param path named in errors
 * @throws InputError that names the field and what is wrong with it
 */
export function parseExperiment(content: string, path: string): Experiment {
  const parsed = experimentSchema.safeParse(parseJson(content, path, 'give an experiment file, as docs/experiments.md describes'));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new InputError(
      `${path}: ${issue.path.join('.') || 'the file'}: ${firstMessage(issue)}; correct it, as docs/experiments.md describes.`,
    );
  }
  // Refuses numbers out of a scenario's range before anything is opened.
  parsed.data.scenarios.forEach(scenarioOf);
  return parsed.data;
}

/** The JSON Schema (draft 2020-12) of experiment files, which editors complete and check by. */
export function experimentJsonSchema(): object {
  // Draft 7 is what VS Code's JSON language service reads in full.
  return z.toJSONSchema(experimentSchema, { io: 'input', target: 'draft-7' });
}

/** The innermost message of an issue: a union's own says only that nothing fitted. */
function firstMessage(issue: z.core.$ZodIssue): string {
  const inner =
    issue.code === 'invalid_union' ? issue.errors.flat().find(({ message }) => message.startsWith('is no scenario')) : undefined;
  return (inner ?? issue).message.replaceAll('\n', ' ');
}

/**
 * Reads an experiment file; its paths, relative to it, become paths that can be opened.
 *
 * @param modelsFolder the folder of the models that ship, whose names are no paths
 * @throws InputError where it cannot be read, or says something that cannot be
 */
export async function readExperiment(path: string, modelsFolder: string): Promise<Experiment> {
  const fix = 'give the path of an experiment file';
  const text = await readRegularText(path, inputLimits.experiment, fix, fix);
  const folder = dirname(path);
  return withPaths(parseExperiment(text, path), modelsFolder, folder, (inner) => (isAbsolute(inner) ? inner : join(folder, inner)));
}

/**
 * An experiment with its paths moved. The name of a model that ships is no path, and that of one in a store is none unless there
 * is something at that path.
 *
 * @param folder to which its paths are relative
 */
export async function withPaths(
  experiment: Experiment,
  modelsFolder: string,
  folder: string,
  moved: (path: string) => string,
): Promise<Experiment> {
  const { prompts, model, results } = experiment;
  const isName = (await exists(join(modelsFolder, model))) || (!(await exists(resolve(folder, model))) && (await isStored(model)));
  return {
    ...experiment,
    prompts: prompts.map(moved),
    model: isName ? model : moved(model),
    results: results === null ? null : moved(results),
  };
}

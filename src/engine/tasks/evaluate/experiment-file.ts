import { dirname, isAbsolute, join, resolve } from 'node:path';
import * as z from 'zod';
import { InputError } from '../../../core/errors';
import { budgetTable, toleranceOption } from '../../../core/evaluate/budgets';
import {
  defaultExperiment,
  defaultRetrieval,
  type Experiment,
  type ExperimentBudgets,
  experimentTable,
  experimentVersion,
  resultsOption,
  scenarioOf,
  windowsOf,
} from '../../../core/evaluate/experiment';
import { checkNeedle, retrievalTable } from '../../../core/evaluate/retrieval';
import { said } from '../../../core/l10n';
import { type Option, pick } from '../../../core/options/option';
import { choiceDefinitions } from '../../../core/scenario/scenario';
import { quoted, shown } from '../../../core/text/printable';
import { parseJson } from '../../read/input/json';
import { inputLimits } from '../../read/input/limits';
import { exists } from '../../read/input/regular-file';
import { readRegularText } from '../../read/input/text';
import { isStored } from '../../read/model/found/resolve';
import { fieldsOf, schemaOf } from '../../read/option-schema';
import { parseJsonPlaces, repeatedKey } from '../../read/source/json-places';

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
  .regex(new RegExp(`^(${written.map(({ pattern }) => pattern).join('|')})$`), said`is no scenario; use one of ${forms}`);

const retrievalFields = fieldsOf(retrievalTable);
const retrieval = z
  .strictObject({
    ...retrievalFields,
    lengths: retrievalFields.lengths
      .optional()
      .describe(`${retrievalTable.lengths.description} Left out: a quarter, a half and the whole of the context.`),
  })
  .describe('Statements that are hidden in a text and asked for: a case for every task, length and depth, under every scenario.');

const { model, blocks, construction, oracleLayers, oracleHeads, context, stride, maximumWindows, ...runOptions } =
  fieldsOf(experimentTable);

// Without a default: a budget that has no tolerance has that of all.
const percentage = schemaOf(pick(toleranceOption, 'flag', 'symbol', 'description', 'value'));
const limits = Object.fromEntries(
  Object.entries<Option>(budgetTable).map(([name, option]) => {
    const limit = schemaOf(option) as z.ZodType<number>;
    return [
      name,
      z
        .union([limit, z.strictObject({ limit, tolerance: percentage.optional() })])
        .optional()
        .describe(option.description),
    ];
  }),
);
const budgets = z
  .strictObject({ ...limits, tolerance: percentage.optional() })
  .describe('What two-heads check holds every prompt against: a limit, or a limit with a tolerance of its own, for each budget.')
  .transform((given) => given as ExperimentBudgets);

/** Most characters of a prompt's path or pattern: the longest path of Linux. */
const longestPath = 4096;

/** The experiment file. What it says of each field is what editors show. */
const experimentSchema = z
  .strictObject({
    $schema: z.string().optional().describe('Where an editor finds the schema of this file.'),
    version: z.literal(experimentVersion).describe('Version of this format.'),
    prompts: z
      .array(z.string().min(1).max(longestPath))
      .min(1)
      .describe(
        'Prompt files, folders that stand for the .md, .txt, .prompt, .prompty and .jsonl files in them, and patterns such as docs/**/*.md; relative to this file.',
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
    retrieval: retrieval.nullable().default(null),
    ...runOptions,
    results: schemaOf(resultsOption)
      .nullable()
      .default(defaultExperiment.results)
      .describe(`${resultsOption.description} It is relative to this file; null keeps none.`),
    budgets: budgets.nullable().default(null),
  })
  .meta({
    title: 'Two Heads experiment',
    description: 'What attention scenarios cost and what they do to a model: everything that repeats the evaluation.',
  });

/** A file that the schema of experiments does not fit. */
export class ExperimentFormError extends InputError {}

/**
 * Reads an experiment file.
 *
 * @param path named in errors
 * @throws InputError that names the field and what is wrong with it
 */
export function parseExperiment(content: string, path: string): Experiment {
  const json = parseJson(content, path, said`give an experiment file, as docs/experiments.md describes`);
  const twice = repeatedKey(parseJsonPlaces(path, content));
  if (twice !== undefined) {
    throw new InputError(`${path}: ${shown(twice, 100)} is given twice, of which only the last would count; give it once.`);
  }
  const renamed = withRetrieval(json);
  const parsed = experimentSchema.safeParse(renamed);
  if (!parsed.success) {
    const fault = faultOf(parsed.error.issues[0]);
    // The file's own name of it.
    const field = fault.path[0] === 'retrieval' && renamed !== json ? ['needle', ...fault.path.slice(1)] : fault.path;
    throw new ExperimentFormError(
      said`${path}: ${shown(field.join('.') || said`the file`, 100)}: ${shown(fault.message.replaceAll('\n', ' '), 600)}; correct it, as docs/experiments.md describes.`,
    );
  }
  const { retrieval: asked, ...fields } = parsed.data;
  refuseIdle(parsed.data, path);
  // Refuses numbers out of a scenario's range before anything is opened.
  parsed.data.scenarios.forEach(scenarioOf);
  if (asked === null) {
    return { ...fields, retrieval: null };
  }
  checkNeedle(asked);
  return { ...fields, retrieval: { ...asked, lengths: asked.lengths ?? defaultRetrieval(windowsOf(fields).context).lengths } };
}

/** Refuses fields of what is measured where nothing is. A file that was saved has each, those that do nothing with their defaults. */
function refuseIdle({ quality, ...given }: z.infer<typeof experimentSchema>, path: string): void {
  const options = Object.entries<Option>(experimentTable).filter(([, option]) => option.of === 'quality');
  const idle = options.find(([name, option]) => given[name as keyof typeof given] !== option.default)?.[0];
  const name = given.retrieval === null ? idle : 'retrieval';
  if (!quality && name !== undefined) {
    throw new InputError(`${path}: ${name} does nothing beside "quality": false, with which nothing is run; leave out one of the two.`);
  }
}

/** Files of before 0.7 have the task `single` as `needle`. */
function withRetrieval(json: unknown): unknown {
  const { needle, ...others } = (json ?? {}) as Readonly<Record<string, unknown>>;
  return needle === undefined || 'retrieval' in others ? json : { ...others, retrieval: needle };
}

/** The JSON Schema (draft 2020-12) of experiment files, which editors complete and check by. */
export function experimentJsonSchema(): object {
  // Draft 7 is what VS Code's JSON language service reads in full.
  return z.toJSONSchema(experimentSchema, { io: 'input', target: 'draft-7' });
}

/** Where a value does not fit, and why, in a line: of what may be one thing or another, what it is as one whose kind of value it has, else as the first. */
function faultOf(issue: z.core.$ZodIssue): Pick<z.core.$ZodIssue, 'path' | 'message'> {
  if (issue.code === 'unrecognized_keys') {
    return { path: issue.path, message: said`it has no field ${quoted(issue.keys[0])}` };
  }
  if (issue.code !== 'invalid_union' || issue.errors.length === 0) {
    return issue;
  }
  const ways = issue.errors.map(([first]) => first);
  const fault = faultOf(ways.find(({ code, path }) => code !== 'invalid_type' || path.length > 0) ?? ways[0]);
  return { ...fault, path: [...issue.path, ...fault.path] };
}

/**
 * Reads an experiment file; its paths, relative to it, become paths that can be opened.
 *
 * @param modelsFolder the folder of the models that ship, whose names are no paths
 * @throws InputError where it cannot be read, or says something that cannot be
 */
export async function readExperiment(path: string, modelsFolder: string): Promise<Experiment> {
  const fix = said`give the path of an experiment file`;
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

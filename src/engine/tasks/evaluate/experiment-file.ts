import { readFile, stat } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import { z } from 'zod';
import { constructions } from '../../../core/construct/construction';
import { InputError, messageOf } from '../../../core/errors';
import { defaultExperiment, type Experiment, experimentVersion, scenarioOf } from '../../../core/evaluate/experiment';
import { defaultNeedle } from '../../../core/evaluate/needles';
import { executors, precisions, providers } from '../../../core/options/options';
import { maximumTokens } from '../../../core/plan/partition';
import { choiceDefinitions } from '../../../core/scenario/scenario';

const kinds = choiceDefinitions.map(({ kind }) => kind).join('|');
const forms = choiceDefinitions.map(({ kind, parameters }) =>
  [kind, ...parameters.map(({ name }) => name), ...(kind === 'custom' ? ['expression'] : [])].join(':'),
);

const tokensOrNone = z.int().nonnegative().max(maximumTokens);
const tokens = z.int().positive().max(maximumTokens);
const scenario = z.string().regex(new RegExp(`^((${kinds})(:[0-9]+)*|custom:.+)$`), `is no scenario; use one of ${forms.join(', ')}`);
const text = (example: string): z.ZodString =>
  z
    .string()
    .min(1)
    .meta({ examples: [example] });

const needle = z
  .strictObject({
    lengths: z.array(tokens).min(1).describe('Tokens of the context of each test, special tokens, needle and question included.'),
    depths: z
      .array(z.number().min(0).max(1))
      .min(1)
      .default([0, 0.25, 0.5, 0.75, 1])
      .describe('Share of the haystack that lies before the needle: 0 is the start, 1 just before the question.'),
    needle: text(defaultNeedle.needle)
      .default(defaultNeedle.needle)
      .describe('The hidden sentence, with the white space that sets it off.'),
    question: text(defaultNeedle.question)
      .default(defaultNeedle.question)
      .describe('What the answer continues, at the end of the context.'),
    answer: text(defaultNeedle.answer)
      .default(defaultNeedle.answer)
      .describe('The answer whose rank and probability are scored, with the white space that it starts with.'),
  })
  .describe('Needles that are hidden in the text of the prompts: a test for every length and depth, under every scenario.');

/** The experiment file. What it says of each field is what editors show. */
const experimentSchema = z
  .strictObject({
    $schema: z.string().optional().describe('Where an editor finds the schema of this file.'),
    version: z.literal(experimentVersion).describe('Version of this format.'),
    prompts: z
      .array(z.string().min(1))
      .min(1)
      .describe('Prompt files, and folders that stand for the .md, .txt and .prompt files in them; relative to this file.'),
    model: z
      .string()
      .min(1)
      .default(defaultExperiment.model)
      .describe('The name of a model that ships with Two Heads, or a folder as Hugging Face has them, relative to this file.'),
    scenarios: z
      .array(z.union([scenario, z.array(scenario).min(1)]))
      .min(1)
      .default(() => [...defaultExperiment.scenarios].map(String))
      .describe(
        `Masking scenarios: ${forms.join(', ')}; numbers that are left out have their defaults. A list of scenarios is one for each layer, repeated to the last layer.`,
      ),
    blocks: z
      .array(tokens.min(2))
      .min(1)
      .default([...defaultExperiment.blocks])
      .describe('M: tokens that a call of the small transformer may read. Every scenario is planned with each.'),
    construction: z.enum(constructions).default(defaultExperiment.construction).describe('How calls are arranged.'),
    context: tokensOrNone
      .default(defaultExperiment.context)
      .describe(
        'Tokens of a window: what the model reads at once, special tokens included. 0: as many as the model has positions for, up to 2048.',
      ),
    stride: tokensOrNone
      .default(defaultExperiment.stride)
      .describe(
        'Tokens from the start of one window to that of the next; 0: the context. A smaller one gives every token more context, at more runs.',
      ),
    maximumWindows: z
      .int()
      .nonnegative()
      .default(defaultExperiment.maximumWindows)
      .describe('Windows of a prompt that are read, the first ones; 0 reads all.'),
    needle: needle.nullable().default(null),
    quality: z
      .boolean()
      .default(defaultExperiment.quality)
      .describe('Whether anything is run; false plans only what it costs, which needs no weights.'),
    provider: z
      .enum(providers)
      .default(defaultExperiment.provider)
      .describe('Execution provider; auto takes the fastest that is calibrated.'),
    threads: z.int().min(0).max(1024).default(defaultExperiment.threads).describe('Threads of ONNX Runtime; 0 takes every core.'),
    executor: z
      .enum(executors)
      .default(defaultExperiment.executor)
      .describe('How fused calls are run: tile by tile, or a layer at a time as one compiled graph.'),
    precision: z.enum(precisions).default(defaultExperiment.precision).describe('Products of compiled layers.'),
    results: z
      .string()
      .min(1)
      .nullable()
      .default(defaultExperiment.results)
      .describe(
        'File that results are appended to, a line of JSON each, and that a run goes on from; relative to this file. null keeps none.',
      ),
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
  const parsed = experimentSchema.safeParse(parseJson(content, path));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new InputError(
      `${path}: ${issue.path.join('.') || 'the file'}: ${firstMessage(issue)}; correct it, as docs/experiments.md describes.`,
    );
  }
  // Numbers out of a scenario's range are told here, before anything is opened.
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

function parseJson(content: string, path: string): unknown {
  try {
    return JSON.parse(content);
  } catch {
    throw new InputError(`${path} is not JSON; give an experiment file, as docs/experiments.md describes.`);
  }
}

/**
 * Reads an experiment file; its paths, relative to it, become paths that can be opened.
 *
 * @param modelsFolder the folder of the models that ship, whose names are no paths
 * @throws InputError where it cannot be read, or says something that cannot be
 */
export async function readExperiment(path: string, modelsFolder: string): Promise<Experiment> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new InputError(`${path} cannot be read (${messageOf(error)}); give the path of an experiment file.`);
  });
  return withPaths(parseExperiment(text, path), modelsFolder, (inner) => (isAbsolute(inner) ? inner : join(dirname(path), inner)));
}

/** An experiment with its paths moved; the name of a model that ships is none. */
export async function withPaths(experiment: Experiment, modelsFolder: string, moved: (path: string) => string): Promise<Experiment> {
  const { prompts, model, results } = experiment;
  const ships = await stat(join(modelsFolder, model)).catch(() => undefined);
  return {
    ...experiment,
    prompts: prompts.map(moved),
    model: ships === undefined ? moved(model) : model,
    results: results === null ? null : moved(results),
  };
}

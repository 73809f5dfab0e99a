import { adviseTable, adviseToolNames } from '../advise/options';
import { inEnglish } from '../l10n';
import { choiceDefinitions, numberParameters, standardKinds, textParameters } from '../scenario/scenario';
import { describe, schemaOf, under } from './schema';
import { optionOf, toolOptionNames } from './table';

/** A tool for language models, in English: in the editor's language model API as `twoHeads_` and its name, in MCP by its name. */
export interface ToolDefinition {
  readonly name: 'plan_prompt' | 'simulate_prompt' | 'compare_scenarios' | 'atlas_prompt' | 'advise_prompt' | 'run_experiment';
  readonly title: string;
  readonly description: string;
  /** Its input as JSON Schema, which `tool-input.ts` reads. */
  readonly inputSchema: () => object;
}

/** Every tool. */
export const toolDefinitions: readonly ToolDefinition[] = [
  {
    name: 'plan_prompt',
    title: 'Plan a Prompt',
    description:
      'Counts what a prompt costs under an attention mask when a large transformer may only call a small transformer that reads M tokens at a time: tokens, blocks, tiles, calls beside the theoretical bound, memory and, on a calibrated machine, the expected time. Runs nothing. Use it to answer questions about the cost of a long prompt, or before simulate_prompt.',
    inputSchema: () => inputSchemaOf(false),
  },
  {
    name: 'simulate_prompt',
    title: 'Simulate a Prompt',
    description:
      "Runs a prompt on the user's machine through calls of a small transformer and reports calls, time, memory, the error against exact float64 attention under the same mask (fidelity), and what the mask does to the model (perplexity and KL divergence, quality). A run can take from seconds to many minutes: plan_prompt tells beforehand. It generates no text.",
    inputSchema: () => inputSchemaOf(false),
  },
  {
    name: 'compare_scenarios',
    title: 'Compare Scenarios',
    description:
      "Runs a prompt on the user's machine once under each of several attention masks and returns a table of calls, bounds, time, error and perplexity. Use it to say which mask is cheapest or hurts the model least on this prompt. It takes as long as that many runs of simulate_prompt.",
    inputSchema: () => inputSchemaOf(true),
  },
  {
    name: 'atlas_prompt',
    title: 'Map Attention',
    description:
      "Runs a prompt on the user's machine under the model's own attention and says where that goes, by layer: over how many blocks it is spread, what the first token takes, mass by distance, and the fewest tiles that would keep 90, 99 and 99.9% of it. Under another scenario it also says how much attention that mask would cut off, and what it does to the predictions. Use it to say whether a prompt can do with a window or a sparse mask, and which layers cannot. It takes up to three times as long as simulate_prompt.",
    inputSchema: () => inputSchemaOf(false),
  },
  {
    name: 'advise_prompt',
    title: 'Advise a Mask',
    description:
      "Finds, by some 20 runs of a prompt on the user's machine, the cheapest attention mask for each layer that keeps the mean KL divergence from the model's own attention within a limit, confirms it by a run, and compares it with the best uniform windows of the same cost. Returns an experiment file that repeats it. Use it to say how far attention can be cut down on this prompt, and how. It takes about as long as 20 runs of simulate_prompt.",
    inputSchema: adviseInputSchema,
  },
  {
    name: 'run_experiment',
    title: 'Run an Experiment',
    description:
      "Runs an experiment file (*.two-heads.json) on the user's machine: every scenario with every block size on its prompts, with what each costs and what it does to the model's predictions, and, where the file asks for it, what it still finds of statements that are hidden in the text. Results that are kept from earlier runs are not measured again. Returns a table of calls, work, time, KL divergence and agreement. Use it to repeat an experiment, or to measure a file that you wrote, such as the one of advise_prompt. It takes from seconds to hours.",
    inputSchema: () => ({
      type: 'object',
      properties: {
        file: {
          type: 'string',
          description:
            'Path of an experiment file in the workspace, relative to its folder. All that it names must be in the workspace too.',
        },
      },
      required: ['file'],
      additionalProperties: false,
    }),
  },
];

/** The tool that the editor knows by a name. @throws RangeError for another name */
export function toolDefinition(name: string): ToolDefinition {
  const found = toolDefinitions.find((tool) => name === `twoHeads_${tool.name}`);
  if (found === undefined) {
    throw new RangeError(`There is no tool ${name}.`);
  }
  return found;
}

const sources = {
  file: { type: 'string', description: 'Path of a prompt file in the workspace, relative to its folder. Give either file or text.' },
  text: { type: 'string', description: 'The text of the prompt itself. Give either file or text.' },
};

/** The input of `advise_prompt`. */
function adviseInputSchema(): object {
  return inEnglish(() => ({
    type: 'object',
    properties: {
      ...sources,
      ...Object.fromEntries(
        adviseToolNames.map((name) => {
          const option = adviseTable[name];
          return [name, { ...schemaOf(option.value), description: describe(option) }];
        }),
      ),
    },
    required: ['maxKl'],
    additionalProperties: false,
  }));
}

/** A tool's input as JSON Schema, in English. @param several whether the tool compares scenarios */
function inputSchemaOf(several: boolean): object {
  return inEnglish(() => {
    const kinds = choiceDefinitions.map(({ kind }) => kind);
    const meanings = choiceDefinitions.map(({ kind, description }) => `${kind}: ${description}`).join(' ');
    const scenario = several
      ? {
          scenarios: {
            type: 'array',
            items: { type: 'string', enum: kinds },
            minItems: 1,
            uniqueItems: true,
            description: `Attention masks to compare; ${standardKinds.join(', ')} where left out. ${meanings}`,
          },
        }
      : { scenario: { type: 'string', enum: kinds, description: `Attention mask. ${meanings}` } };
    const numbers = numberParameters.map(({ name, minimum, maximum, description }) => [
      name,
      { type: 'integer', minimum, maximum, description: `${description} ${under(name)}` },
    ]);
    const texts = textParameters.map(({ name, description }) => [name, { type: 'string', description: `${description} ${under(name)}` }]);
    const options = toolOptionNames.map((name) => {
      const option = optionOf(name);
      return [name, { ...schemaOf(option.value), description: describe(option) }];
    });
    return {
      type: 'object',
      properties: { ...sources, ...scenario, ...(Object.fromEntries([...numbers, ...texts, ...options]) as object) },
      additionalProperties: false,
    };
  });
}

import { z } from 'zod';
import { InputError } from '../../core/errors';
import { maximumTokens } from '../../core/plan/partition';
import {
  choiceDefinitions,
  makeChoice,
  makeScenario,
  type ScenarioChoice,
  scenarioKinds,
  type ScenarioParameters,
  standardKinds,
} from '../../core/scenario/scenario';
import type { FormChoice } from '../../protocol/panel';
import type { WantedScenarios } from './lab';
import { checked, defined, line, parameterShape, scenarioFrom, whole, word } from './read-options';

export const shape = {
  file: line('give the path of a prompt file in the workspace').optional(),
  text: line('give the text of a prompt').optional(),
  ...parameterShape,
  blockSize: whole(2, maximumTokens).optional(),
  model: line('give a model that ships with Two Heads or a folder of the workspace').optional(),
};

/** What `plan_prompt` and `simulate_prompt` take; package.json tells language models the same. */
export const promptToolInput = z.strictObject(
  { ...shape, scenario: word(choiceDefinitions.map(({ kind }) => kind)).optional() },
  { error: 'give an object' },
);

/** What `compare_scenarios` takes. */
export const compareToolInput = z.strictObject(
  {
    ...shape,
    scenarios: z
      .array(word(scenarioKinds), { error: 'give a list of scenarios' })
      .min(1, { error: 'name a scenario' })
      .max(scenarioKinds.length, { error: 'name each scenario once' })
      .optional(),
  },
  { error: 'give an object' },
);

/** What is to be planned or run. */
export interface ToolRequest {
  /** The text itself, or the file that holds it. */
  readonly source: { readonly file: string } | { readonly text: string };
  readonly blockSize: number;
  /** Undefined where the user's is meant. */
  readonly model: string | undefined;
}

/** Reads the input of `plan_prompt` and `simulate_prompt`. @param choice of the user, for what is left out @throws InputError */
export function readPromptInput(given: unknown, choice: FormChoice): ToolRequest & { readonly scenario: ScenarioChoice } {
  const { scenario: kind = choice.kind, ...input } = defined(checked(promptToolInput, given, 'input'));
  const parameters = parametersOf(input);
  // Refuses what the kind does not take; the user's own parameters are meant for whichever takes them.
  scenarioFrom({ kind, ...parameters });
  return { ...requestOf(input, choice), scenario: makeChoice(kind, { ...choice.parameters, ...parameters }) };
}

/** Reads the input of `compare_scenarios`. @throws InputError */
export function readCompareInput(given: unknown, choice: FormChoice): ToolRequest & { readonly wanted: WantedScenarios } {
  const { scenarios, ...input } = defined(checked(compareToolInput, given, 'input'));
  const parameters = { ...choice.parameters, ...parametersOf(input) };
  const kinds = scenarios ?? standardKinds;
  if (new Set(kinds).size !== kinds.length) {
    throw new InputError(`input.scenarios names one scenario twice (${kinds.join(', ')}); name each once.`);
  }
  return {
    ...requestOf(input, choice),
    wanted: { scenarios: kinds.map((kind) => makeScenario(kind, parameters)), named: scenarios !== undefined },
  };
}

export type Given = Partial<
  Pick<z.infer<typeof promptToolInput>, 'file' | 'text' | 'window' | 'sinks' | 'seed' | 'expression' | 'blockSize' | 'model'>
>;

export function requestOf({ file, text, blockSize, model }: Given, choice: FormChoice): ToolRequest {
  if ((file === undefined) === (text === undefined)) {
    throw new InputError(`input has ${file === undefined ? 'neither' : 'both'} file and text; give one of them.`);
  }
  return { source: file === undefined ? { text: text ?? '' } : { file }, blockSize: blockSize ?? choice.blockSize, model };
}

export function parametersOf({ window, sinks, seed, expression }: Given): ScenarioParameters {
  return defined({ window, sinks, seed, expression });
}

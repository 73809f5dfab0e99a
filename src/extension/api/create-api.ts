import { InputError } from '../../core/errors';
import { makeScenario, standardKinds } from '../../core/scenario/scenario';
import type { SimulationOptions } from '../../core/options/options';
import type { Prompt } from '../../engine/prompt';
import type { TwoHeadsApi } from './api';
import type { ChoiceStore } from '../choice';
import type { Engine } from '../tasks/engine';
import { engineSettings } from '../settings';
import { inContext } from '../lab/call-context';
import type { Lab, WantedScenarios } from './lab';

/** What other extensions get: checks what they give, and leaves the work to the lab. */
export function createApi(lab: Lab, engine: Engine, choices: ChoiceStore, log: (line: string) => void): TwoHeadsApi {
  return {
    version: 1,
    onDidFinishRun: engine.onDidFinishRun,
    plan: (text, given, context = {}) =>
      inContext(context, log, async ({ signal }) => {
        const { readLabOptions } = await import('../lab/read-options');
        const { path, options } = readLabOptions(given, defaultsOf(choices));
        return lab.plan(await promptOf(path, text), options, signal);
      }),
    simulate: (text, given, context = {}) =>
      inContext(context, log, async (step) => {
        const { readLabOptions } = await import('../lab/read-options');
        const { path, options } = readLabOptions(given, defaultsOf(choices));
        return lab.simulate(await promptOf(path, text), options, step);
      }),
    compare: (text, given, context = {}) =>
      inContext(context, log, async (step) => {
        const { readCompareOptions } = await import('../lab/read-options');
        const { path, options, scenarios } = readCompareOptions(given, defaultsOf(choices));
        return lab.compare(
          await promptOf(path, text),
          options,
          scenarios === undefined ? unasked(choices) : { scenarios, named: true },
          step,
        );
      }),
  };
}

/** The user's settings and choices. @throws InputError for some that mean nothing */
export function defaultsOf(choices: ChoiceStore): SimulationOptions {
  const choice = choices.read();
  if (choice.error !== null) {
    throw new InputError(choice.error);
  }
  const { scenario, blockSize } = choice;
  return { ...engineSettings(), scenario, blockSize };
}

/** What is compared where nobody names scenarios, with the parameters of the user's choice. */
export function unasked(choices: ChoiceStore): WantedScenarios {
  const { parameters } = choices.choice;
  return { scenarios: standardKinds.map((kind) => makeScenario(kind, parameters)), named: false };
}

/** A text as a prompt. @throws InputError where it is none, is empty or too large */
async function promptOf(path: string, text: unknown): Promise<Prompt> {
  if (typeof text !== 'string') {
    throw new InputError(`A text of type ${typeof text} is not possible; give the prompt as a string.`);
  }
  // Loaded at first use: activation reads no prompt.
  const { promptFromText } = await import('../../engine/prompt');
  return promptFromText(path, text);
}

import type { WantedScenarios } from '../../core/compare/sort-scenarios';
import { InputError, messageOf } from '../../core/errors';
import type { SimulationOptions } from '../../core/options/table';
import { makeScenario, standardKinds } from '../../core/scenario/scenario';
import type { Prompt } from '../../engine/read/prompt';
import type { ChoiceStore } from '../choice';
import { engineSettings } from '../settings';
import type { Engine } from '../tasks/engine';
import type { Step } from '../tasks/single-task';
import type { CallContext, TwoHeadsApi } from './api';
import type { Lab } from './lab';
import { readCompareOptions, readLabOptions } from './read-options';

/**
 * Calls `act` with one signal for both ways to cancel, and unsubscribes from the caller's token afterwards.
 *
 * @param log receives errors thrown by a caller's listener, which do not fail the run
 * @throws InputError for an invalid context, and whatever `act` throws
 */
export async function inContext<T>(context: CallContext, log: (line: string) => void, act: (step: Step) => Promise<T>): Promise<T> {
  const { token, signal, onProgress } = checkedContext(context);
  const controller = new AbortController();
  const abort = (): void => controller.abort();
  if (token?.isCancellationRequested === true || signal?.aborted === true) {
    abort();
  }
  const listener = token?.onCancellationRequested(abort);
  signal?.addEventListener('abort', abort);
  try {
    return await act({
      signal: controller.signal,
      onProgress: (progress) => {
        try {
          onProgress?.(progress);
        } catch (error) {
          log(`A listener to progress failed: ${messageOf(error)}`);
        }
      },
    });
  } finally {
    listener?.dispose();
    signal?.removeEventListener('abort', abort);
  }
}

/** JavaScript callers can pass any type. */
function checkedContext(context: unknown): CallContext {
  if (typeof context !== 'object' || context === null) {
    throw new InputError(
      `A context of ${String(context)} is not possible; give an object with token, signal or onProgress, or leave it out.`,
    );
  }
  const { token, signal, onProgress }: { token?: unknown; signal?: unknown; onProgress?: unknown } = context;
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new InputError('context.signal is no AbortSignal; give that of an AbortController, or leave it out.');
  }
  if (token !== undefined && !(typeof token === 'object' && token !== null && 'onCancellationRequested' in token)) {
    throw new InputError('context.token is no CancellationToken; give that of a CancellationTokenSource, or leave it out.');
  }
  if (onProgress !== undefined && typeof onProgress !== 'function') {
    throw new InputError('context.onProgress is no function; give one that takes a Progress, or leave it out.');
  }
  return context;
}

/** The API for other extensions: validates their arguments and delegates to the lab. */
export function createApi(lab: Lab, engine: Engine, choices: ChoiceStore, log: (line: string) => void): TwoHeadsApi {
  return {
    version: 1,
    onDidFinishRun: engine.onDidFinishRun,
    plan: (text, given, context = {}) =>
      inContext(context, log, async ({ signal }) => {
        const { path, options } = readLabOptions(given, defaultsOf(choices));
        return lab.plan(await promptOf(path, text), options, signal);
      }),
    simulate: (text, given, context = {}) =>
      inContext(context, log, async (step) => {
        const { path, options } = readLabOptions(given, defaultsOf(choices));
        return lab.simulate(await promptOf(path, text), options, step);
      }),
    compare: (text, given, context = {}) =>
      inContext(context, log, async (step) => {
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

/** The user's settings and choices. @throws InputError if they are invalid */
function defaultsOf(choices: ChoiceStore): SimulationOptions {
  const choice = choices.read();
  if (choice.error !== null) {
    throw new InputError(choice.error);
  }
  const { scenario, blockSize } = choice;
  return { ...engineSettings(), scenario, blockSize };
}

/** The standard scenarios with the user's parameters, for comparisons that name none. */
function unasked(choices: ChoiceStore): WantedScenarios {
  const { parameters } = choices.choice;
  return { scenarios: standardKinds.map((kind) => makeScenario(kind, parameters)), named: false };
}

/** A text as a prompt. @throws InputError if it is not a string, is empty or too large */
async function promptOf(path: string, text: unknown): Promise<Prompt> {
  if (typeof text !== 'string') {
    throw new InputError(`A text of type ${typeof text} is not possible; give the prompt as a string.`);
  }
  // Loaded at first use: activation needs no prompt.
  const { promptFromText } = await import('../../engine/read/prompt');
  return promptFromText(path, text);
}

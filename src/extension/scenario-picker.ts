import * as vscode from 'vscode';
import { messageOf } from '../core/errors';
import { choiceDefinition, choiceDefinitions, makeChoice, type ChoiceKind, type ScenarioParameters } from '../core/masks';
import { wholeNumber } from '../core/options';
import { maximumTokens } from '../core/plan/partition';
import type { ChoiceStore } from './choice';

/** Asks for a scenario and its parameters, and chooses them. */
export async function chooseScenario(choices: ChoiceStore): Promise<void> {
  const { kind: current, parameters: before } = choices.choice;
  const items = choiceDefinitions.map(({ kind, title, description }) => ({
    label: title,
    description: kind === current ? 'current' : '',
    detail: description,
    scenario: kind,
  }));
  const chosen = await vscode.window.showQuickPick(items, { title: 'Choose Scenario', placeHolder: 'Which tokens does a token see?' });
  const parameters = chosen && (await askParameters(chosen.scenario, before));
  if (chosen !== undefined && parameters !== undefined) {
    await choices.set({ kind: chosen.scenario, parameters: { ...choices.choice.parameters, ...parameters } });
  }
}

/** Asks for M, and chooses it. */
export async function chooseBlockSize(choices: ChoiceStore): Promise<void> {
  const blockSize = await askNumber('Block size M', 'Tokens that one call of the small transformer reads.', choices.choice.blockSize, 2, maximumTokens);
  if (blockSize !== undefined) {
    await choices.set({ blockSize });
  }
}

/** Asks for each parameter of a scenario; undefined where the user gave up. */
async function askParameters(kind: ChoiceKind, current: ScenarioParameters): Promise<ScenarioParameters | undefined> {
  const answers: ScenarioParameters = {};
  const { parameters, text } = choiceDefinition(kind);
  if (text !== undefined) {
    const expression = await askMask(text.title, text.description, current.expression ?? text.default);
    return expression === undefined ? undefined : { expression };
  }
  for (const { name, title, description, minimum, maximum, default: standard } of parameters) {
    const answer = await askNumber(title, description, current[name] ?? standard, minimum, maximum);
    if (answer === undefined) {
      return undefined;
    }
    answers[name] = answer;
  }
  return answers;
}

/** Asks for a mask expression; undefined where the user gave up. */
function askMask(title: string, prompt: string, value: string): Thenable<string | undefined> {
  return vscode.window.showInputBox({
    title,
    prompt,
    value,
    validateInput: (expression) => {
      try {
        makeChoice('custom', { expression });
        return undefined;
      } catch (error) {
        return messageOf(error);
      }
    },
  });
}

/** Asks for a whole number within limits; undefined where the user gave up. */
export async function askNumber(title: string, prompt: string, value: number, minimum: number, maximum: number): Promise<number | undefined> {
  const answer = await vscode.window.showInputBox({
    title,
    prompt,
    value: String(value),
    validateInput: (text) => {
      try {
        wholeNumber(title, text, minimum, maximum);
        return undefined;
      } catch (error) {
        return messageOf(error);
      }
    },
  });
  return answer === undefined ? undefined : wholeNumber(title, answer, minimum, maximum);
}

/** Asks what an evaluation measures; undefined where the user gave up. */
export async function askWhetherNeedle(): Promise<boolean | undefined> {
  const items = [
    { label: 'Predictions by Position', detail: 'Perplexity and KL divergence of every scenario, against the model\'s own attention.', needle: false },
    { label: 'Predictions and Needles', detail: 'Also hides a sentence in the text at several depths, and scores whether the model finds it.', needle: true },
  ];
  return (await vscode.window.showQuickPick(items, { title: 'Evaluate Quality' }))?.needle;
}

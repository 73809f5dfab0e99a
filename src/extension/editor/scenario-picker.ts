import * as vscode from 'vscode';
import { messageOf } from '../../core/errors';
import { inEnglish, t } from '../../core/l10n';
import {
  choiceDefinition,
  choiceDefinitions,
  makeChoice,
  type ChoiceKind,
  type ScenarioParameter,
  type ScenarioParameters,
  type ScenarioText,
} from '../../core/scenario/scenario';
import { wholeNumber } from '../../core/options/options';
import { maximumTokens } from '../../core/plan/partition';
import type { ChoiceStore } from '../choice';

/** A whole number to ask for, its texts in the editor's language. */
export type NumberQuestion = Pick<ScenarioParameter, 'title' | 'description' | 'minimum' | 'maximum'>;

const blockSizeQuestion: NumberQuestion = {
  get title(): string {
    return t('Block size M');
  },
  get description(): string {
    return t('Tokens that one call of the small transformer reads.');
  },
  minimum: 2,
  maximum: maximumTokens,
};

/** Asks for a scenario and its parameters, and chooses them. */
export async function chooseScenario(choices: ChoiceStore): Promise<void> {
  const { kind: current, parameters: before } = choices.choice;
  const items = choiceDefinitions.map(({ kind, title, description }) => ({
    label: title,
    description: kind === current ? t('current') : '',
    detail: description,
    scenario: kind,
  }));
  const chosen = await vscode.window.showQuickPick(items, {
    title: t('Choose Scenario'),
    placeHolder: t('Which tokens does a token see?'),
  });
  const parameters = chosen && (await askParameters(chosen.scenario, before));
  if (chosen !== undefined && parameters !== undefined) {
    await choices.set({ kind: chosen.scenario, parameters: { ...choices.choice.parameters, ...parameters } });
  }
}

/** Asks for M, and chooses it. */
export async function chooseBlockSize(choices: ChoiceStore): Promise<void> {
  const blockSize = await askNumber(blockSizeQuestion, choices.choice.blockSize);
  if (blockSize !== undefined) {
    await choices.set({ blockSize });
  }
}

/** Asks for each parameter of a scenario; undefined where the user gave up. */
async function askParameters(kind: ChoiceKind, current: ScenarioParameters): Promise<ScenarioParameters | undefined> {
  const answers: ScenarioParameters = {};
  const { parameters, text } = choiceDefinition(kind);
  if (text !== undefined) {
    const expression = await askMask(text, current.expression ?? text.default);
    return expression === undefined ? undefined : { expression };
  }
  for (const parameter of parameters) {
    const answer = await askNumber(parameter, current[parameter.name] ?? parameter.default);
    if (answer === undefined) {
      return undefined;
    }
    answers[parameter.name] = answer;
  }
  return answers;
}

/** Asks for a mask expression; undefined where the user gave up. */
function askMask({ title, description }: ScenarioText, value: string): Thenable<string | undefined> {
  return vscode.window.showInputBox({
    title,
    prompt: description,
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
export async function askNumber(question: NumberQuestion, value: number): Promise<number | undefined> {
  const { title, description, minimum, maximum } = question;
  // What is refused is told in English, the number's name with it.
  const name = inEnglish(() => question.title);
  const answer = await vscode.window.showInputBox({
    title,
    prompt: description,
    value: String(value),
    validateInput: (text) => {
      try {
        wholeNumber(name, text, minimum, maximum);
        return undefined;
      } catch (error) {
        return messageOf(error);
      }
    },
  });
  return answer === undefined ? undefined : wholeNumber(name, answer, minimum, maximum);
}

/** Asks what an evaluation measures; undefined where the user gave up. */
export async function askWhetherNeedle(): Promise<boolean | undefined> {
  const items = [
    {
      label: t('Predictions by Position'),
      detail: t("Perplexity and KL divergence of every scenario, against the model's own attention."),
      needle: false,
    },
    {
      label: t('Predictions and Needles'),
      detail: t('Also hides a sentence in the text at several depths, and scores whether the model finds it.'),
      needle: true,
    },
  ];
  return (await vscode.window.showQuickPick(items, { title: t('Evaluate Quality') }))?.needle;
}

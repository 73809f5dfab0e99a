import * as vscode from 'vscode';
import { InputError } from '../../core/errors';
import { t } from '../../core/l10n';
import type { OptionValue } from '../../core/options/option';
import { readText } from '../../core/options/read';
import { optionTable } from '../../core/options/table';
import {
  choiceDefinition,
  choiceDefinitions,
  type ChoiceKind,
  type ScenarioParameters,
  type TextParameter,
} from '../../core/scenario/scenario';
import type { ChoiceStore } from '../choice';

/** A whole number to ask for. Texts are in English until shown. */
export interface NumberQuestion {
  readonly title: string;
  readonly description: string;
  readonly minimum: number;
  readonly maximum: number;
  /** The word for 0 and its meaning. */
  readonly zero?: { readonly word: string; readonly meaning: string };
}

/** Asks for a scenario and its parameters, and applies them. */
export async function chooseScenario(choices: ChoiceStore): Promise<void> {
  const { kind: current, parameters: before } = choices.choice;
  const items = choiceDefinitions.map(({ kind, title, description }) => ({
    label: t(title),
    description: kind === current ? t('current') : '',
    detail: t(description),
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

/** Asks for M, and applies it. */
export async function chooseBlockSize(choices: ChoiceStore): Promise<void> {
  const blockSize = await askNumber({ ...optionTable.blockSize, ...optionTable.blockSize.value }, choices.choice.blockSize);
  if (blockSize !== undefined) {
    await choices.set({ blockSize });
  }
}

/** Asks for each parameter of a scenario; undefined if the user cancelled. */
async function askParameters(kind: ChoiceKind, current: ScenarioParameters): Promise<ScenarioParameters | undefined> {
  const answers: ScenarioParameters = {};
  const { parameters, text } = choiceDefinition(kind);
  if (text !== undefined) {
    const answer = await askText(text, current[text.name] ?? text.default);
    return answer === undefined ? undefined : { [text.name]: answer };
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

/** Asks for a scenario's text; undefined if the user cancelled. */
function askText({ title, description, check }: TextParameter, value: string): Thenable<string | undefined> {
  return vscode.window.showInputBox({
    title: t(title),
    prompt: t(description),
    value,
    validateInput: (answer) => complaintOf(() => check(answer)),
  });
}

/** Asks for a whole number within its limits; undefined if the user cancelled. */
export function askNumber(question: NumberQuestion, value: number): Promise<number | undefined> {
  const { title, description, minimum, maximum, zero } = question;
  const option = { value: { type: 'whole', minimum, maximum, ...(zero === undefined ? {} : { zero }) } } as const;
  const prompt = zero === undefined ? t(description) : `${t(description)} ${t('{0}: {1}.', zero.word, t(zero.meaning))}`;
  return askFor(option, title, prompt, value === 0 && zero !== undefined ? zero.word : String(value));
}

/** Asks for a number that need not be whole; undefined if the user cancelled. */
export function askReal(
  question: { readonly title: string; readonly description: string; readonly value: OptionValue & { readonly type: 'number' } },
  offered: number,
): Promise<number | undefined> {
  return askFor(question, question.title, t(question.description), String(offered));
}

/** Asks for a number that an option takes; undefined if the user cancelled. */
async function askFor(option: Parameters<typeof readText>[0], title: string, prompt: string, value: string): Promise<number | undefined> {
  // Error messages are in English, including the number's name.
  const read = (answer: string): number => readText(option, answer.trim(), title) as number;
  const validateInput = (text: string): string | undefined => complaintOf(() => read(text));
  const answer = await vscode.window.showInputBox({ title: t(title), prompt, value, validateInput });
  return answer === undefined ? undefined : read(answer);
}

/** The error message of `check`, or undefined if it passes. */
function complaintOf(check: () => unknown): string | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    if (!(error instanceof InputError)) {
      throw error;
    }
    return error.message;
  }
}

/** Asks what an evaluation measures; undefined if the user cancelled. */
export async function askWhetherRetrieval(): Promise<boolean | undefined> {
  const items = [
    {
      label: t('Predictions by Position'),
      detail: t("Perplexity and KL divergence of every scenario, against the model's own attention."),
      retrieval: false,
    },
    {
      label: t('Predictions and Retrieval'),
      detail: t('Also hides a sentence in the text at several depths, and scores whether the model finds it.'),
      retrieval: true,
    },
  ];
  return (await vscode.window.showQuickPick(items, { title: t('Evaluate Quality') }))?.retrieval;
}

import { text } from '../l10n';

/** A word that an option can take, and what it means. */
export interface Choice<Word extends string = string> {
  readonly value: Word;
  readonly description: string;
}

/** What an option's value can be. */
export type OptionValue =
  | {
      readonly type: 'choice';
      /** What it is called in a refusal, such as `Provider "x" is unknown`. */
      readonly noun: string;
      readonly choices: readonly Choice[];
    }
  | {
      readonly type: 'whole';
      readonly minimum: number;
      readonly maximum: number;
      /** What 0 stands for where it is below the minimum, and the word that the command line has for it. */
      readonly zero?: { readonly word: string; readonly meaning: string };
      /** What one of the number that users give is in the option's own unit; 1 where left out. */
      readonly scale?: number;
    }
  /** A number above 0 and up to a maximum. */
  | { readonly type: 'number'; readonly maximum: number }
  | { readonly type: 'switch' }
  | { readonly type: 'text' };

/** Groups of settings, in the order in which they are shown. */
export const settingGroups = {
  scenario: text('Scenario'),
  smallTransformer: text('Small transformer'),
  engine: text('Engine'),
  editor: text('Editor'),
} as const;

/**
 * An option as plain data: what every door needs to offer it, which are flags and their help, settings with their texts, the
 * options of the API and of tools, experiment files, and the form.
 */
export interface Option {
  /** Its flag without the dashes. */
  readonly flag: string;
  /** What help shows in place of the value; absent for switches. */
  readonly symbol?: string;
  /** A few words, in English, as every text here; it is translated where it is shown. */
  readonly title: string;
  /** A sentence or two, in which code stands between backticks. */
  readonly description: string;
  readonly value: OptionValue;
  readonly default: string | number | boolean;
  readonly group: keyof typeof settingGroups;
  /** Whether it is the machine's business, which no workspace decides that is not trusted. */
  readonly machine?: boolean;
  /** Whether it is a safeguard of the user's, which no language model sets. */
  readonly guard?: boolean;
  /** Only for runs of a scenario that samples: theorem 4.1's. */
  readonly sampled?: boolean;
}

/** The type of an option's value. */
export type ValueOf<O extends Option> = O['value'] extends { readonly type: 'choice'; readonly choices: readonly Choice<infer Word>[] }
  ? Word
  : O['value']['type'] extends 'switch'
    ? boolean
    : O['value']['type'] extends 'text'
      ? string
      : number;

/** The words of an option that is a choice. */
export function wordsOf<Word extends string>({
  value,
}: {
  readonly value: { readonly choices: readonly Choice<Word>[] };
}): readonly Word[] {
  return value.choices.map((choice) => choice.value);
}

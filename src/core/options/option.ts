import { text } from '../l10n';

/** A word that an option can take, and what it means. */
export interface Choice<Word extends string = string> {
  readonly value: Word;
  readonly description: string;
}

/** What 0 stands for where it is below the minimum, and the word that the command line has for it. */
interface ZeroWord {
  readonly word: string;
  readonly meaning: string;
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
      readonly zero?: ZeroWord;
      /** What one of the number that users give is in the option's own unit; 1 where left out. */
      readonly scale?: number;
    }
  | {
      readonly type: 'number';
      /** The least number that it may be; where it is left out, every number above 0. */
      readonly minimum?: number;
      readonly maximum: number;
      readonly zero?: ZeroWord;
    }
  | {
      readonly type: 'switch';
      /** What the flag `--no-...` does, where the switch is on unless it is turned off. */
      readonly off?: string;
    }
  | {
      readonly type: 'text';
      /** What it must be as a whole, where not every text will do: a regular expression without anchors. */
      readonly pattern?: string;
      /** The same in words, for a refusal: `use ...`. */
      readonly form?: string;
    };

/** Several values of one kind, each once; commas stand between them in text. */
export interface ListValue {
  readonly type: 'list';
  readonly of: OptionValue;
}

/** An option as plain data: what a flag with its help, or a field of an experiment file, is made of. */
export interface Option {
  /** Its flag without the dashes. */
  readonly flag: string;
  /** What help shows in place of the value; absent for switches. */
  readonly symbol?: string;
  /** A sentence or two in English, as every text here, in which code stands between backticks; it is translated where it is shown. */
  readonly description: string;
  readonly value: OptionValue | ListValue;
  /** Absent where nothing is chosen unless the user chooses. */
  readonly default?: string | number | boolean | readonly (string | number)[];
  /** Whether its flag may be given several times, for several values. Any other is refused then: one would be lost without a word. */
  readonly repeatable?: boolean;
  /** Whether a command cannot do without it. */
  readonly required?: boolean;
  /** Only for runs of a scenario that samples: theorem 4.1's. */
  readonly sampled?: boolean;
  /** What it belongs to: beside `--no-quality`, or `--verify none`, it does nothing. */
  readonly of?: 'quality' | 'verification';
}

/** Options by their names. */
export type OptionTable = Readonly<Record<string, Option>>;

/** Groups of settings, in the order in which they are shown. */
export const settingGroups = {
  scenario: text('Scenario'),
  smallTransformer: text('Small transformer'),
  engine: text('Engine'),
  fleet: text('Fleet'),
  editor: text('Editor'),
} as const;

/** An option of every simulation: also a setting, a field of the form, and an option of the API and of tools. */
export interface SimulationOption extends Option {
  /** A few words. */
  readonly title: string;
  readonly value: OptionValue;
  readonly default: string | number | boolean;
  readonly group: keyof typeof settingGroups;
  /** Whether it is the machine's business, which no workspace decides that is not trusted. */
  readonly machine?: boolean;
  /** Whether it is a safeguard of the user's, which no language model sets. */
  readonly guard?: boolean;
}

/** The type of a value of this kind. */
type ValueIn<V extends OptionValue | ListValue> = V extends { readonly type: 'list'; readonly of: infer Item extends OptionValue }
  ? readonly ValueIn<Item>[]
  : V extends { readonly type: 'choice'; readonly choices: readonly Choice<infer Word>[] }
    ? Word
    : V extends { readonly type: 'switch' }
      ? boolean
      : V extends { readonly type: 'text' }
        ? string
        : number;

/** The type of an option's value: undefined where it has no default and need not be given. */
export type ValueOf<O extends Option> =
  ValueIn<O['value']> | (O extends { readonly default: unknown } | { readonly required: true } ? never : undefined);

/** The values of a table's options, by name. */
export type ValuesOf<T extends OptionTable> = { readonly [Name in keyof T]: ValueOf<T[Name]> };

/** The values that hold where a user chooses nothing. */
export function defaultsOf<T extends OptionTable>(table: T): ValuesOf<T> {
  return Object.fromEntries(Object.entries(table).map(([name, option]) => [name, option.default])) as ValuesOf<T>;
}

/** What 0 stands for as an option's value, or as one of its values. */
export function zeroOf({ value }: Pick<Option, 'value'>): ZeroWord | undefined {
  const single = value.type === 'list' ? value.of : value;
  return 'zero' in single ? single.zero : undefined;
}

/** Some fields of an object, such as options of a table or their values. */
export function pick<T extends object, Name extends keyof T>(from: T, ...names: readonly Name[]): Pick<T, Name> {
  return Object.fromEntries(names.map((name) => [name, from[name]])) as Pick<T, Name>;
}

/** The words of an option that is a choice. */
export function wordsOf<Word extends string>({
  value,
}: {
  readonly value: { readonly choices: readonly Choice<Word>[] };
}): readonly Word[] {
  return value.choices.map((choice) => choice.value);
}

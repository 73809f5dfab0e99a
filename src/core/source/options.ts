import type { Option, OptionTable } from '../options/option';
import { formatOf, type PromptFormat, promptFormats } from './format';
import type { Variables } from './variables';

/** Every option of how a prompt is read from what is kept. */
export const sourceTable = {
  as: {
    flag: 'as',
    symbol: 'format',
    description: 'How the prompt is kept. `auto`: as its name says; JSON that is no chat is text.',
    value: {
      type: 'choice',
      noun: 'Format',
      choices: [{ value: 'auto', description: 'As the name of the file says.' }, ...promptFormats],
    },
    default: 'auto',
  },
  line: {
    flag: 'line',
    symbol: 'n',
    description: 'Line of a Python, TypeScript or JavaScript file on which the string literal is that is the prompt.',
    value: {
      type: 'whole',
      minimum: 1,
      maximum: Number.MAX_SAFE_INTEGER,
      zero: { word: 'longest', meaning: 'the longest literal of the file' },
    },
    default: 0,
  },
} as const satisfies OptionTable;

/** Flags that give variables their values. */
export const variableOptions = {
  value: {
    flag: 'var',
    symbol: 'name=value',
    description: 'Value of a variable, which a prompt has as {{name}}; once for each variable.',
    value: { type: 'text' },
    repeatable: true,
  },
  file: {
    flag: 'vars',
    symbol: 'file.json',
    description: 'File with values of variables, as one JSON object.',
    value: { type: 'text' },
  },
} as const satisfies Readonly<Record<string, Option>>;

/** How a prompt is read from a document; plain data. */
export interface PromptSource {
  readonly as: PromptFormat | 'auto';
  /** Line, from 1, of the literal that is the prompt; 0 for the longest. */
  readonly line: number;
  /** An offset within the literal that is the prompt, in UTF-16 code units; comes before `line`, if a literal is there. */
  readonly at?: number | undefined;
  readonly variables: Variables;
  /** VS Code's id of the document's language, where it is known. */
  readonly languageId?: string | undefined;
}

/** How a prompt is read where a user says nothing. */
export const plainSource: PromptSource = { as: sourceTable.as.default, line: sourceTable.line.default, variables: {} };

/** How a document is kept, and whether only its name says so. */
export function presumedFormat({ path, source }: { readonly path: string; readonly source: PromptSource }): {
  readonly format: PromptFormat;
  readonly isPresumed: boolean;
} {
  return source.as === 'auto' ? { format: formatOf(path, source.languageId), isPresumed: true } : { format: source.as, isPresumed: false };
}

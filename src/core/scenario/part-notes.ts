import { formatCount } from '../format';
import { t } from '../l10n';
import { type PartName, partNames, type PartStarts } from './parts';

/** What a user should know of the parts of a prompt that masks count: how many there are, or that there is nothing to count. */
export function partNotes(starts: PartStarts): readonly string[] {
  return partNames.flatMap((name) => {
    const count = starts[name]?.length;
    return count === undefined ? [] : [count < 2 ? notes[name].none() : notes[name].some(formatCount(count))];
  });
}

const notes: Readonly<Record<PartName, { readonly none: () => string; readonly some: (count: string) => string }>> = {
  doc: {
    none: () => t('The separator ends no document before the end of this prompt: doc is 0 everywhere.'),
    some: (count) => t('The prompt has {0} documents, which doc counts.', count),
  },
  msg: {
    none: () => t('The prompt has fewer than two messages: msg is 0 everywhere.'),
    some: (count) => t('The prompt has {0} messages, which msg counts.', count),
  },
  sec: {
    none: () => t('The prompt has fewer than two Markdown sections: sec is 0 everywhere.'),
    some: (count) => t('The prompt has {0} Markdown sections, which sec counts.', count),
  },
};

/** What a user should know of positions that begin again in every document. */
export function restartNote(documents: number): string {
  return documents < 2
    ? t('The separator ends no document before the end of this prompt: positions go through it.')
    : t('Positions begin again in each of {0} documents.', formatCount(documents));
}

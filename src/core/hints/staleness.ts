import { t } from '../l10n';

/** What tooltips say of figures that a change has overtaken. */
export function staleNote(): string {
  return t('From before the last edit or choice; new figures are on their way.');
}

/** A text with figures, marked where a change has overtaken them. `fresh` takes the mark's place elsewhere, so that nothing behind it moves. */
export function markStale(text: string, stale: boolean, fresh = ''): string {
  return `${text}${stale ? '…' : fresh}`;
}

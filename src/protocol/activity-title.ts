import { t } from '../core/l10n';

/** The title of the ledger's activity: a mark that host and page go by, the same in every language. */
export const ledgerTitle = 'ledger';

/** The same of an evaluation's. */
export const evaluationTitle = 'quality';

/** The title of an activity as people read it. */
export function shownTitle(title: string): string {
  switch (title) {
    case ledgerTitle:
      return t('ledger');
    case evaluationTitle:
      return t('quality');
    default:
      return title;
  }
}

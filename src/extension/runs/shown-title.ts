import { t } from '../../core/l10n';
import { evaluationTitle, ledgerTitle } from '../../protocol/panel';

/** The title of an activity in the editor's language: those by which the panel knows an activity are English until they are shown. */
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

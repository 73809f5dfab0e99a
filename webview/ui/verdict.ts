import { type Verdict, verdictName } from '../../src/core/report/verdict';
import { reasonShown } from '../../src/core/report/verdict-words';
import { element, setAttributes, setText, setVisible } from '../dom';
import { t } from '../l10n';
import { type Shown, words } from './shown';

/** What each verdict means, in a few words. */
export function verdictMeaning(kind: Verdict['kind']): string {
  const meanings: Readonly<Record<Verdict['kind'], string>> = {
    exact: t('equal up to rounding'),
    within: t('not above the stated error'),
    failed: t('beyond it, or not finite'),
    vacuous: t('nothing was promised: not verified, or a stated error as large as the result'),
  };
  return meanings[kind];
}

/** A verdict in a cell; its row says `data-verdict`, which the style sheet makes red where it failed. */
export function verdictShown({ kind, reason }: Verdict): Shown {
  return words(verdictName(kind), reasonShown(reason));
}

/** A verdict in a line with its reason, red where it failed. */
export class VerdictLine {
  readonly element: HTMLElement;

  /** @param testId its `data-testid` */
  constructor(testId: string) {
    this.element = element('p', { 'data-testid': testId });
  }

  /** Shows a verdict, or nothing. */
  show(verdict: Verdict | undefined): void {
    setVisible(this.element, verdict !== undefined);
    if (verdict !== undefined) {
      const isFailed = verdict.kind === 'failed';
      setAttributes(this.element, { class: isFailed ? 'error' : 'note', role: isFailed ? 'alert' : null, 'data-verdict': verdict.kind });
      setText(this.element, `${t('Verdict')}: ${verdictName(verdict.kind)}. ${reasonShown(verdict.reason)}`);
    }
  }
}

import { formatDuration, formatError, formatNumberOf } from '../../src/core/format';
import type { RunReport } from '../../src/core/report/report';
import type { PanelSnapshot } from '../../src/protocol/panel';
import { element, setText, setVisible } from '../dom';
import { t } from '../l10n';

/** What the newest run of the prompt came to, in a line where the run was started: its section is far down the page. */
export class Outcome {
  readonly element = element('button', { class: 'link', type: 'button', 'data-testid': 'outcome' });

  /** @param show brings the section of the run into view */
  constructor(show: () => void) {
    this.element.addEventListener('click', show);
  }

  update({ runs, activity }: PanelSnapshot): void {
    const report = runs.find(({ current }) => current)?.report;
    setVisible(this.element, report !== undefined && activity.state !== 'running');
    if (report !== undefined) {
      setText(this.element, textOf(report));
    }
  }
}

function textOf({ run, fidelity }: RunReport): string {
  const [time, calls] = [formatDuration(run.wallMs), formatNumberOf(run.calls.total, 'call')];
  return fidelity === null
    ? t('Ran in {0}: {1}. Show the last run', time, calls)
    : t('Ran in {0}: {1}, max abs error {2}. Show the last run', time, calls, formatError(fidelity.maxAbsError));
}

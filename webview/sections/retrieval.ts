import type { ExperimentSummary } from '../../src/core/evaluate/report';
import { retrievalGrid, type RetrievalGrid } from '../../src/core/evaluate/retrieval';
import { pointTitle, retrievalNote, retrievalText, taskLabel } from '../../src/core/evaluate/rows';
import { formatCount, formatShare } from '../../src/core/format';
import { type NeedleCell, type NeedleViews, needleViews } from '../../src/core/lab/needles';
import { element, setText, setVisible } from '../dom';
import { t } from '../l10n';
import { radioGroup } from '../ui/toolkit';
import type { MeasuredPoint } from './evaluate-statistics';

/** A scenario that was asked for what was hidden. */
interface Tested {
  readonly title: string;
  readonly total: string;
  readonly differs: boolean;
  readonly ownBaseline: boolean;
  readonly grid: RetrievalGrid;
  readonly views: NeedleViews;
}

/** Retrieval from a long text under one scenario at a time: own attention, mask and difference side by side, whose cells carry text. */
export class Retrieval {
  readonly #choice = element('div');
  readonly #note = element('p', { class: 'note', 'data-testid': 'needles-note' });
  readonly #grids = element('div', { class: 'retrieval-grids' });
  readonly element = element(
    'div',
    { class: 'subsection', 'data-testid': 'retrieval' },
    element('h3', {}, t('Retrieval by task, length and depth')),
    element(
      'p',
      { class: 'note' },
      t(
        'The log-probability of the answer and the worst rank of its tokens under the model’s own attention and under the mask: the stronger the colour, the more probable. The difference is what the mask takes: the stronger the colour, the more is lost.',
      ),
    ),
    this.#note,
    this.#choice,
    this.#grids,
  );
  #chosen = '';

  /** Shows the points that were asked for what was hidden. */
  show(points: readonly MeasuredPoint[], { experiment }: ExperimentSummary): void {
    const found = points.flatMap(({ retrieval, ...point }) =>
      retrieval === null
        ? []
        : [
            {
              title: pointTitle(point, experiment),
              total: retrievalText(retrieval),
              differs: retrieval.differing > 0,
              ownBaseline: point.ownBaseline,
              grid: retrievalGrid(retrieval.cases),
            },
          ],
    );
    const views = needleViews(found.map(({ grid }) => grid));
    const tested = found.map((each, index): Tested => ({ ...each, views: views[index] }));
    setVisible(this.element, tested.length > 0);
    const note = retrievalNote(points.flatMap(({ retrieval }) => retrieval ?? []));
    setText(this.#note, note ?? '');
    setVisible(this.#note, note !== null);
    if (tested.length > 0) {
      this.#offer(tested);
    }
  }

  /** A chip for each scenario, and the views of the one that is chosen. */
  #offer(tested: readonly Tested[]): void {
    // From itself, the model's own attention does not differ.
    const chosen = tested.find(({ title }) => title === this.#chosen) ?? tested.find(({ ownBaseline }) => !ownBaseline) ?? tested[0];
    const choices = tested.map(({ title }) => ({ value: title, label: title }));
    const group = radioGroup(t('Scenario'), choices, chosen.title, { 'data-testid': 'needles-choice' }, (title) => {
      this.#chosen = title;
      this.#draw(tested.find((each) => each.title === title) ?? chosen);
    });
    this.#choice.replaceChildren(...(tested.length > 1 ? [group] : []));
    this.#draw(chosen);
  }

  #draw({ title, total, differs, grid, views: { own, mask, difference } }: Tested): void {
    const view = (name: string, caption: string, note: HTMLElement, cells: NeedleViews['own']): HTMLElement =>
      element(
        'div',
        { class: 'wide-scroller', role: 'region', 'aria-label': t('{0}: {1}', title, caption), tabindex: 0 },
        gridTable(name, element('caption', {}, caption, note), grid, cells),
      );
    this.#grids.replaceChildren(
      view('own', t('The model’s own attention'), blank(), own),
      view('mask', title, element('div', { class: differs ? 'error' : 'note' }, total), mask),
      view('difference', t('Difference'), blank(), difference),
    );
  }
}

/** A note with nothing in it, so that the rows of views side by side stand at one height. */
function blank(): HTMLElement {
  return element('div', { class: 'note' }, '\u00a0');
}

function gridTable(name: string, caption: HTMLElement, { depths, rows }: RetrievalGrid, cells: NeedleViews['own']): HTMLElement {
  const head = element(
    'tr',
    {},
    element('th', { scope: 'col' }, t('Task')),
    element('th', { scope: 'col' }, t('Tokens')),
    ...depths.map((depth) => element('th', { scope: 'col' }, t('at {0}', formatShare(depth)))),
  );
  const body = rows.map((row, index) =>
    element(
      'tr',
      {},
      element('th', { scope: 'row' }, taskLabel(row)),
      element('td', {}, formatCount(row.length)),
      ...cells[index].map(cellOf),
    ),
  );
  return element(
    'table',
    { class: 'retrieval-grid', 'data-view': name, 'data-testid': `needles-${name}` },
    caption,
    element('thead', {}, head),
    element('tbody', {}, ...body),
  );
}

function cellOf(cell: NeedleCell | null): HTMLElement {
  return cell === null ? element('td', {}, '–') : element('td', { 'data-level': cell.level, class: cell.state }, cell.text);
}

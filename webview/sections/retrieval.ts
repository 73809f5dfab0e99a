import type { ExperimentSummary } from '../../src/core/evaluate/report';
import { retrievalGrid, type RetrievalGrid, type RetrievalReport, type RetrievalScore } from '../../src/core/evaluate/retrieval';
import { outcomeText, pointTitle, retrievalHeat, retrievalScores, retrievalText, taskLabel } from '../../src/core/evaluate/rows';
import { formatCount, formatShare } from '../../src/core/format';
import { element, setVisible } from '../dom';
import { t } from '../l10n';
import type { MeasuredPoint } from './evaluate-statistics';

type Heat = readonly (readonly (number | null)[])[];

/** Retrieval from a long text: a heat map per scenario, whose cells also carry text. */
export class Retrieval {
  readonly #grids = element('div', { class: 'retrieval-grids' });
  readonly element = element(
    'div',
    { class: 'subsection', 'data-testid': 'retrieval' },
    element('h3', {}, t('Retrieval by task, length and depth')),
    element(
      'p',
      { class: 'note' },
      t(
        'Whether the answer is found, its log-probability and the worst rank of its tokens; below, under the model’s own attention. The stronger the colour, the more probable.',
      ),
    ),
    this.#grids,
  );

  /** Shows the points that were asked for what was hidden. */
  show(points: readonly MeasuredPoint[], { experiment }: ExperimentSummary): void {
    const tested = points.flatMap(({ retrieval, ...point }) =>
      retrieval === null ? [] : [{ title: pointTitle(point, experiment), retrieval, grid: retrievalGrid(retrieval.cases) }],
    );
    const heat = retrievalHeat(tested.map(({ grid }) => grid));
    setVisible(this.element, tested.length > 0);
    this.#grids.replaceChildren(...tested.map(({ title, retrieval, grid }, index) => gridTable(title, retrieval, grid, heat[index])));
  }
}

function gridTable(title: string, report: RetrievalReport, { depths, rows }: RetrievalGrid, heat: Heat): HTMLElement {
  const head = element(
    'tr',
    {},
    element('th', { scope: 'col' }, t('Task')),
    element('th', { scope: 'col' }, t('Tokens')),
    ...depths.map((depth) => element('th', { scope: 'col' }, t('at {0}', formatShare(depth)))),
  );
  const body = rows.map(({ cells, ...row }, index) =>
    element(
      'tr',
      {},
      element('th', { scope: 'row' }, taskLabel(row)),
      element('td', {}, formatCount(row.length)),
      ...cells.map((cell, column) => cellOf(cell, heat[index][column])),
    ),
  );
  const total = element('div', { class: report.differing > 0 ? 'error' : 'note' }, retrievalText(report));
  const table = element(
    'table',
    { class: 'retrieval-grid' },
    element('caption', {}, title, total),
    element('thead', {}, head),
    element('tbody', {}, ...body),
  );
  return element('div', { class: 'wide-scroller', role: 'region', 'aria-label': t('Retrieval under {0}', title), tabindex: 0 }, table);
}

function cellOf(cell: RetrievalScore | null, level: number | null): HTMLElement {
  if (cell === null) {
    return element('td', {}, '–');
  }
  const { own, baseline } = retrievalScores(cell);
  const { measured, expected } = cell;
  const differs = expected !== null && expected !== measured;
  return element(
    'td',
    { 'data-level': level, class: differs ? 'differs' : measured === 'found' ? 'found' : null },
    outcomeText(cell),
    ' ',
    own,
    ' ',
    element('small', {}, baseline),
  );
}

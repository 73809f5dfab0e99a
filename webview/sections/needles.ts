import type { NeedleGrid } from '../../src/core/evaluate/needles';
import { formatCount, formatShare } from '../../src/core/format';
import type { ExperimentSummary } from '../../src/core/evaluate/report';
import { needleHeat, needleScores, pointTitle } from '../../src/core/evaluate/rows';
import { element, setVisible } from '../dom';
import { t } from '../l10n';
import type { MeasuredPoint } from './evaluate-statistics';

type Heat = readonly (readonly (number | null)[])[];

/** Needles in a haystack: a heat map per scenario, whose cells also carry text. */
export class Needles {
  readonly #grids = element('div', { class: 'needle-grids' });
  readonly element = element(
    'div',
    { class: 'subsection', 'data-testid': 'needles' },
    element('h3', {}, t('Needles by length and depth')),
    element(
      'p',
      { class: 'note' },
      t(
        'The log-probability of the answer and the worst rank of its tokens, #1 being found; below it, under the model’s own attention. The stronger the colour, the more probable.',
      ),
    ),
    this.#grids,
  );

  /** Shows the points that were tested with needles. */
  show(points: readonly MeasuredPoint[], { experiment }: ExperimentSummary): void {
    const tested = points.flatMap((point) => (point.needle === null ? [] : [{ title: pointTitle(point, experiment), grid: point.needle }]));
    const heat = needleHeat(tested.map(({ grid }) => grid));
    setVisible(this.element, tested.length > 0);
    this.#grids.replaceChildren(...tested.map(({ title, grid }, index) => gridTable(title, grid, heat[index])));
  }
}

function gridTable(title: string, { lengths, depths, cells }: NeedleGrid, heat: Heat): HTMLElement {
  const head = element(
    'tr',
    {},
    element('th', { scope: 'col' }, t('Tokens')),
    ...depths.map((depth) => element('th', { scope: 'col' }, t('at {0}', formatShare(depth)))),
  );
  const rows = lengths.map((length, row) =>
    element(
      'tr',
      {},
      element('th', { scope: 'row' }, formatCount(length)),
      ...depths.map((_, column) => cellOf(cells[row][column], heat[row][column])),
    ),
  );
  const table = element(
    'table',
    { class: 'needle-grid' },
    element('caption', {}, title),
    element('thead', {}, head),
    element('tbody', {}, ...rows),
  );
  return element('div', { class: 'wide-scroller', role: 'region', 'aria-label': t('Needles under {0}', title), tabindex: 0 }, table);
}

function cellOf(cell: NeedleGrid['cells'][number][number], level: number | null): HTMLElement {
  if (cell === null) {
    return element('td', {}, '–');
  }
  const { own, baseline } = needleScores(cell);
  return element('td', { 'data-level': level, class: cell.rank === 1 ? 'found' : null }, own, ' ', element('small', {}, baseline));
}

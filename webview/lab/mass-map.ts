import { byDistance, cellsOf, keyShares, massView, type MassView, tokensOf } from '../../src/core/atlas/view';
import { formatShare } from '../../src/core/format';
import type { LabAtlas } from '../../src/protocol/lab';
import { element, setAttributes, setText, setVisible } from '../dom';
import type { Folds } from '../host';
import { t } from '../l10n';
import type { Theme, ThemeWatcher } from '../theme';
import { dataBehind } from '../ui/section';
import { share, words } from '../ui/shown';
import { DataTable } from '../ui/tables';
import { axis, gap, paintAxes, paintShares, strip } from './mass-axes';
import { onDrag, Picture, type Room } from './picture';
import type { Selection } from './selection';
import { hatch, massLegend, massLevel, shadesOf } from './shades';
import { headName, rangeText } from './words';

/** Widest map, in CSS pixels: cells need no more. */
const widest = 560;
/** Rows that a table for screen readers has at most. */
const mostRows = 64;

/** Where attention goes: the mass that the queries of each row give to the keys of each column, hatched where the mask cuts it off. */
export class MassMap {
  readonly #selection: Selection;
  readonly #picture: Picture;
  readonly #legend = element('ul', { class: 'legend' });
  readonly #heading = element('p', { class: 'note', 'data-testid': 'mass-heading' });
  readonly #reading = element('p', { class: 'reading', 'data-testid': 'mass-reading', 'aria-live': 'polite' });
  readonly #table = new DataTable(
    t('Where the queries of each row look most'),
    [
      { title: t('Tokens') },
      { title: t('Looks most at tokens') },
      { title: t('Mass there'), numeric: true },
      { title: t('Cut off'), numeric: true },
    ],
    { 'data-testid': 'mass-table' },
  );
  readonly element: HTMLElement;
  #data: LabAtlas | null = null;
  #drawn: { readonly data: LabAtlas; readonly layer: number | null; readonly head: number | null } | null = null;
  #view: MassView | null = null;
  /** The cell under the pointer or the keyboard. */
  #cell: { readonly row: number; readonly column: number } | null = null;

  constructor(host: Folds, theme: ThemeWatcher, selection: Selection) {
    this.#selection = selection;
    this.#picture = new Picture(
      theme,
      {
        heightFor: (width) => Math.min(widest, width) + gap + strip,
        paint: (pen, room, current) => this.#paint(pen, room, current),
        mark: (pen, room, current) => this.#mark(pen, room, current),
      },
      { 'data-testid': 'mass-map' },
    );
    const { canvas } = this.#picture;
    canvas.addEventListener('pointermove', (event) => event.buttons === 0 && this.#point(this.#cellAt(event.offsetX, event.offsetY)));
    canvas.addEventListener('pointerleave', () => this.#point(null));
    canvas.addEventListener('keydown', (event) => this.#press(event));
    onDrag(canvas, (from, to) => {
      const cells = [from, to].map(({ x, y }) => this.#cellAt(x, y, true)?.row ?? 0);
      this.#select(Math.min(...cells), Math.max(...cells) + 1);
    });
    this.element = element(
      'div',
      { class: 'mass-map' },
      this.#heading,
      this.#picture.element,
      this.#legend,
      this.#reading,
      dataBehind(host, 'mass', t('The map as a table'), this.#table.element),
    );
  }

  /** Shows another atlas. */
  show(data: LabAtlas): void {
    this.#data = data;
    this.#cell = null;
    this.#legend.replaceChildren(...massLegend(data.cut !== null));
    this.choose();
  }

  /** Shows the selection: other heads of the same atlas, or other tokens. */
  choose(): void {
    const data = this.#data;
    if (data === null) {
      return;
    }
    const { layer, head } = this.#selection.current;
    // Tokens that are selected change neither masses nor table.
    if (this.#drawn?.data === data && this.#drawn.layer === layer && this.#drawn.head === head) {
      this.mark();
      return;
    }
    this.#drawn = { data, layer, head };
    this.#view = massView(data.atlas, { layer, head });
    const name = headName({ layer, head }, data.atlas.heads.length);
    const { cutShare } = this.#view;
    setText(this.#heading, cutShare === null ? name : t('{0}: the mask cuts off {1} of the mass', name, formatShare(cutShare)));
    const near = byDistance(data.atlas, { layer, head })
      .map(({ label, share: mass }) => t('{0} blocks away {1}', label, formatShare(mass)))
      .join(', ');
    setAttributes(this.#picture.canvas, {
      'aria-label': t('Map of attention mass, {0}. By distance: {1}. Arrow keys move over its tiles; Enter selects a row.', name, near),
    });
    this.#fillTable(data, this.#view);
    this.#picture.repaint();
    this.#read();
  }

  /** Draws the selection again. */
  mark(): void {
    this.#picture.redraw();
    this.#read();
  }

  #side({ width }: Room): number {
    return Math.min(widest, width) - axis;
  }

  #cellAt(x: number, y: number, clamped = false): { readonly row: number; readonly column: number } | null {
    if (this.#data === null) {
      return null;
    }
    const { side } = this.#data.atlas.cells;
    const size = this.#side(this.#picture.room) / side;
    const [column, row] = [Math.floor((x - axis) / size), Math.floor((y - axis) / size)];
    const inside = row >= 0 && column >= 0 && row < side && column < side;
    const within = (cell: number): number => Math.min(side - 1, Math.max(0, cell));
    return inside ? { row, column } : clamped ? { row: within(row), column: within(column) } : null;
  }

  #point(cell: { readonly row: number; readonly column: number } | null): void {
    if (cell?.row !== this.#cell?.row || cell?.column !== this.#cell?.column) {
      this.#cell = cell;
      this.mark();
    }
  }

  /** Selects the tokens of rows `[from, to)`. */
  #select(from: number, to: number): void {
    if (this.#data !== null) {
      this.#selection.set({ range: tokensOf(this.#data.atlas.cells, this.#data.partition, { from, to }) });
    }
  }

  #press(event: KeyboardEvent): void {
    const steps: Readonly<Record<string, readonly [down: number, right: number]>> = {
      ArrowUp: [-1, 0],
      ArrowDown: [1, 0],
      ArrowLeft: [0, -1],
      ArrowRight: [0, 1],
    };
    const side = this.#data?.atlas.cells.side ?? 0;
    if (side === 0 || event.ctrlKey || event.metaKey || event.altKey) {
      return;
    }
    const cell = this.#cell ?? { row: 0, column: 0 };
    if (Object.hasOwn(steps, event.key)) {
      const [down, right] = this.#cell === null ? [0, 0] : steps[event.key];
      const within = (value: number): number => Math.min(side - 1, Math.max(0, value));
      this.#point({ row: within(cell.row + down), column: within(cell.column + right) });
    } else if (event.key === 'Enter' || event.key === ' ') {
      this.#select(cell.row, cell.row + 1);
    } else {
      return;
    }
    event.preventDefault();
  }

  /** What the pointer or the keyboard is at, else what is selected, in words. */
  #read(): void {
    const [data, view] = [this.#data, this.#view];
    if (data === null || view === null) {
      return;
    }
    const { cells } = data.atlas;
    const tokens = (from: number, to: number): string => rangeText(tokensOf(cells, data.partition, { from, to }));
    const { range } = this.#selection.current;
    if (this.#cell !== null) {
      const { row, column } = this.#cell;
      const at = row * cells.side + column;
      const [mass, cut] = [view.mass[at], view.cut?.[at] ?? 0];
      const said = t(
        'Tokens {0} give {1} of their attention to tokens {2}.',
        tokens(row, row + 1),
        formatShare(mass),
        tokens(column, column + 1),
      );
      setText(this.#reading, cut > 0 && mass > 0 ? `${said} ${t('The mask cuts off {0} of it.', formatShare(cut / mass))}` : said);
    } else if (range !== null) {
      const rows = cellsOf(cells, data.partition, range);
      const shares = keyShares(view.mass, cells, data.partition, rows);
      const best = shares.indexOf(Math.max(...shares));
      setText(
        this.#reading,
        t(
          'The queries of tokens {0} give the most, {1}, to tokens {2}.',
          tokens(rows.from, rows.to),
          formatShare(shares[best]),
          tokens(best, best + 1),
        ),
      );
    } else {
      setText(
        this.#reading,
        t('Point at a tile to read it; drag over rows to select their tokens in all pictures and mark them in the text.'),
      );
    }
  }

  #paint(pen: CanvasRenderingContext2D, room: Room, theme: Theme): void {
    const [data, view] = [this.#data, this.#view];
    if (data === null || view === null) {
      return;
    }
    const { cells } = data.atlas;
    const [side, shades] = [this.#side(room), shadesOf(theme)];
    const edge = (cell: number): number => axis + (cell * side) / cells.side;
    pen.globalAlpha = 0.07;
    pen.fillStyle = theme.foreground;
    pen.fillRect(axis, axis, side, side);
    pen.globalAlpha = 1;
    const hatching = hatch(pen, theme.foreground);
    for (let row = 0; row < cells.side; row += 1) {
      for (let column = 0; column < cells.side; column += 1) {
        const at = row * cells.side + column;
        const level = massLevel(view.mass[at]);
        if (level >= 0) {
          const [x, y] = [edge(column), edge(row)];
          pen.fillStyle = shades[level];
          pen.fillRect(x, y, edge(column + 1) - x, edge(row + 1) - y);
          if (view.cut !== null && view.cut[at] >= view.mass[at] / 2) {
            pen.fillStyle = hatching;
            pen.fillRect(x, y, edge(column + 1) - x, edge(row + 1) - y);
          }
        }
      }
    }
    pen.strokeStyle = theme.border;
    pen.lineWidth = 1;
    pen.strokeRect(axis - 0.5, axis - 0.5, side + 1, side + 1);
    paintAxes(pen, side, data, theme);
  }

  #mark(pen: CanvasRenderingContext2D, room: Room, theme: Theme): void {
    const [data, view] = [this.#data, this.#view];
    if (data === null || view === null) {
      return;
    }
    const { cells } = data.atlas;
    const side = this.#side(room);
    const edge = (cell: number): number => axis + (cell * side) / cells.side;
    const { range } = this.#selection.current;
    if (range !== null) {
      const { from, to } = cellsOf(cells, data.partition, range);
      const [start, end] = [edge(from), edge(to)];
      pen.strokeStyle = theme.focus;
      pen.lineWidth = 2;
      pen.strokeRect(axis, start, side, end - start);
      pen.setLineDash([4, 3]);
      pen.lineWidth = 1;
      pen.strokeRect(start, axis, end - start, side);
      pen.setLineDash([]);
      paintShares(pen, keyShares(view.mass, cells, data.partition, { from, to }), side, theme);
    }
    if (this.#cell !== null) {
      const { row, column } = this.#cell;
      const size = side / cells.side;
      pen.strokeStyle = theme.foreground;
      pen.lineWidth = 2;
      pen.strokeRect(edge(column) - 1, edge(row) - 1, size + 2, size + 2);
    }
  }

  #fillTable({ atlas: { cells }, partition }: LabAtlas, { mass, cut }: MassView): void {
    const every = Math.max(1, Math.ceil(cells.side / mostRows));
    const rows = Array.from({ length: Math.ceil(cells.side / every) }, (_, index) => index * every);
    setVisible(this.#table.element, rows.length > 0);
    this.#table.update(
      rows.map((row) => {
        const own = mass.slice(row * cells.side, (row + 1) * cells.side);
        const best = own.indexOf(Math.max(...own));
        const hidden = cut?.slice(row * cells.side, (row + 1) * cells.side).reduce((sum, value) => sum + value, 0);
        const tokens = (cell: number): string => rangeText(tokensOf(cells, partition, { from: cell, to: cell + 1 }));
        return { cells: [words(tokens(row)), words(tokens(best)), share(own[best]), hidden === undefined ? words('–') : share(hidden)] };
      }),
    );
  }
}

import type { HeadAtlas } from '../../src/core/atlas/atlas';
import { type HeadMeasure, headMeasures, massOnTokens, measuresOf } from '../../src/core/atlas/view';
import { formatFigure, formatShare } from '../../src/core/format';
import type { LabAtlas } from '../../src/protocol/lab';
import { element, setAttributes, setText } from '../dom';
import type { Folds } from '../host';
import { t } from '../l10n';
import type { Theme, ThemeWatcher } from '../theme';
import { dataBehind } from '../ui/section';
import { type Shown, words } from '../ui/shown';
import { FreeTable } from '../ui/tables';
import { fontOf, Picture, type Room } from './picture';
import type { Selection } from './selection';
import { shadeCount, shadesOf } from './shades';
import { headName, rangeText } from './words';

/** Room of the axes, and limits of a cell's height, in CSS pixels. */
const [left, top] = [40, 20];
const [flattest, tallest] = [4, 22];

/** Layer by head: a small map for each measure. A click on a cell chooses its head in all pictures. */
export class HeadGrids {
  readonly #grids = new Map<HeadMeasure, HeadGrid>();
  readonly #holder = element('div', { class: 'multiples' });
  readonly #table = new FreeTable(t('Each head'), 'heads-table');
  readonly element: HTMLElement;
  readonly #theme: ThemeWatcher;
  readonly #selection: Selection;
  #data: LabAtlas | null = null;

  constructor(host: Folds, theme: ThemeWatcher, selection: Selection) {
    this.#theme = theme;
    this.#selection = selection;
    this.element = element(
      'div',
      { class: 'head-grids' },
      element(
        'p',
        { class: 'note' },
        t('A row for each layer, a column for each head. Choose a head to see its map; arrow keys move from head to head.'),
      ),
      this.#holder,
      dataBehind(host, 'heads', t('Each head as a table'), this.#table.element),
    );
  }

  /** Shows another atlas. */
  show(data: LabAtlas): void {
    this.#data = data;
    const measures = measuresOf(data.atlas);
    for (const name of [...measures, 'selected'] as const) {
      if (!this.#grids.has(name)) {
        const grid = new HeadGrid(
          this.#theme,
          this.#selection,
          name,
          name === 'selected' ? t('Mass on the selected tokens') : t(headMeasures[name].title),
        );
        this.#grids.set(name, grid);
      }
    }
    const shown = measures.map((name) => this.#grids.get(name)).filter((grid) => grid !== undefined);
    const selected = this.#grids.get('selected');
    this.#holder.replaceChildren(...[...shown, ...(selected === undefined ? [] : [selected])].map(({ element: part }) => part));
    for (const name of measures) {
      this.#grids.get(name)?.show(
        data,
        data.atlas.heads.map((head) => headMeasures[name].of(head)),
      );
    }
    this.#table.update(
      [
        { title: t('Layer') },
        { title: t('Head'), numeric: true },
        ...measures.map((name) => ({ title: t(headMeasures[name].title), numeric: true })),
      ],
      data.atlas.heads.map((head) => ({
        cells: [
          words(String(head.layer + 1)),
          words(String(head.head + 1)),
          ...measures.map((name) => valueShown(name, headMeasures[name].of(head))),
        ],
      })),
    );
    this.mark();
  }

  /** Draws the selection again, with what all heads give to the selected tokens. */
  mark(): void {
    const data = this.#data;
    if (data === null) {
      return;
    }
    const { range } = this.#selection.current;
    const selected = this.#grids.get('selected');
    if (selected !== undefined) {
      selected.element.hidden = range === null;
      if (range !== null) {
        selected.show(data, massOnTokens(data.atlas, data.partition, range), t('Mass on tokens {0} from later ones', rangeText(range)));
      }
    }
    this.#grids.forEach((grid) => grid.mark());
  }
}

/** What is marked in a grid: nothing of it changes with the selected tokens. */
type Marked = readonly [layer: number | null, head: number | null, pointed: number | null];

/** One small map of all heads. */
class HeadGrid {
  readonly element: HTMLElement;
  readonly #picture: Picture;
  readonly #selection: Selection;
  readonly #measure: HeadMeasure;
  readonly #title = element('h3');
  readonly #range = element('p', { class: 'note' });
  readonly #reading = element('p', { class: 'note', 'aria-live': 'polite' });
  #heads: readonly HeadAtlas[] = [];
  #values: readonly (number | null)[] = [];
  #scale = { least: 0, most: 1 };
  #layers = 1;
  #columns = 1;
  #pointed: number | null = null;
  #marked: Marked | null = null;

  constructor(theme: ThemeWatcher, selection: Selection, measure: HeadMeasure, title: string) {
    this.#selection = selection;
    this.#measure = measure;
    setText(this.#title, title);
    this.#picture = new Picture(
      theme,
      {
        heightFor: (width) => top + this.#layers * Math.min(tallest, Math.max(flattest, (width - left) / this.#columns)),
        paint: (pen, room, current) => this.#paint(pen, room, current),
        mark: (pen, room, current) => this.#mark(pen, room, current),
      },
      { 'data-testid': `heads-${measure}` },
    );
    const { canvas } = this.#picture;
    canvas.addEventListener('pointermove', ({ offsetX, offsetY }) => this.#point(this.#indexAt(offsetX, offsetY)));
    canvas.addEventListener('pointerleave', () => this.#point(null));
    canvas.addEventListener('click', ({ offsetX, offsetY }) => this.#choose(this.#indexAt(offsetX, offsetY)));
    canvas.addEventListener('keydown', (event) => this.#press(event));
    this.element = element('div', { class: 'multiple' }, this.#title, this.#picture.element, this.#range, this.#reading);
  }

  /** Shows a value of each head. */
  show({ atlas: { heads } }: LabAtlas, values: readonly (number | null)[], title?: string): void {
    this.#heads = heads;
    this.#values = values;
    this.#layers = 1 + Math.max(...heads.map(({ layer }) => layer));
    this.#columns = 1 + Math.max(...heads.map(({ head }) => head));
    let [least, most] = [Infinity, -Infinity];
    for (const value of values) {
      if (value !== null) {
        least = Math.min(least, value);
        most = Math.max(most, value);
      }
    }
    this.#scale = { least: Number.isFinite(least) ? least : 0, most: Number.isFinite(most) ? most : 1 };
    if (title !== undefined) {
      setText(this.#title, title);
    }
    const said = t('{0} to {1}', valueText(this.#measure, this.#scale.least), valueText(this.#measure, this.#scale.most));
    setText(this.#range, said);
    setAttributes(this.#picture.canvas, {
      'aria-label': t('{0}, of each head: {1}. Arrow keys choose a head.', this.#title.textContent, said),
    });
    this.#marked = null;
    this.#picture.repaint();
  }

  /** Draws the selected head again where it is another one: while tokens are selected, a grid of thousands of heads stays as it is. */
  mark(): void {
    const { layer, head } = this.#selection.current;
    const marked = [layer, head, this.#pointed] as const;
    if (marked.every((each, index) => each === this.#marked?.[index])) {
      return;
    }
    this.#marked = marked;
    this.#picture.redraw();
    const index = this.#pointed ?? (layer === null || head === null ? -1 : this.#indexOf(layer, head));
    setText(
      this.#reading,
      index < 0 ? ' ' : `${headName(this.#heads[index], this.#heads.length)}: ${valueText(this.#measure, this.#values[index] ?? null)}`,
    );
  }

  #indexOf(layer: number, head: number): number {
    return this.#heads.findIndex((each) => each.layer === layer && each.head === head);
  }

  #cell({ width, height }: Room): { readonly across: number; readonly down: number } {
    return { across: (width - left) / this.#columns, down: (height - top) / this.#layers };
  }

  #indexAt(x: number, y: number): number | null {
    const { across, down } = this.#cell(this.#picture.room);
    const index = x < left || y < top ? -1 : this.#indexOf(Math.floor((y - top) / down), Math.floor((x - left) / across));
    return index < 0 ? null : index;
  }

  #point(index: number | null): void {
    if (index !== this.#pointed) {
      this.#pointed = index;
      this.mark();
    }
  }

  /** Chooses a head, or all of them where it was chosen already. */
  #choose(index: number | null): void {
    if (index === null) {
      return;
    }
    const { layer, head } = this.#heads[index];
    const { current } = this.#selection;
    this.#selection.set(current.layer === layer && current.head === head ? { layer: null, head: null } : { layer, head });
  }

  #press(event: KeyboardEvent): void {
    const steps: Readonly<Record<string, readonly [layers: number, heads: number]>> = {
      ArrowUp: [-1, 0],
      ArrowDown: [1, 0],
      ArrowLeft: [0, -1],
      ArrowRight: [0, 1],
    };
    if (!Object.hasOwn(steps, event.key) || event.ctrlKey || event.metaKey || event.altKey) {
      return;
    }
    event.preventDefault();
    const { layer, head } = this.#selection.current;
    const [layers, heads] = layer === null || head === null ? [0, 0] : steps[event.key];
    const to = { layer: (layer ?? 0) + layers, head: (head ?? 0) + heads };
    if (this.#indexOf(to.layer, to.head) >= 0) {
      this.#selection.set(to);
    }
  }

  #paint(pen: CanvasRenderingContext2D, room: Room, theme: Theme): void {
    const { across, down } = this.#cell(room);
    const { least, most } = this.#scale;
    const shades = shadesOf(theme);
    const inset = across > 8 && down > 8 ? 1 : 0;
    this.#heads.forEach(({ layer, head }, index) => {
      const value = this.#values[index] ?? null;
      if (value !== null) {
        const share = most > least ? (value - least) / (most - least) : 0;
        pen.fillStyle = shades[Math.min(shadeCount - 1, Math.floor(share * shadeCount))];
        pen.fillRect(left + head * across, top + layer * down, across - inset, down - inset);
      }
    });
    pen.strokeStyle = theme.grid;
    pen.strokeRect(left - 0.5, top - 0.5, this.#columns * across + 1, this.#layers * down + 1);
    pen.fillStyle = theme.muted;
    pen.font = fontOf(theme, 0.8);
    pen.textAlign = 'center';
    pen.textBaseline = 'alphabetic';
    const everyHead = Math.ceil(24 / across);
    for (let head = 0; head < this.#columns; head += everyHead) {
      pen.fillText(String(head + 1), left + (head + 0.5) * across, top - 6);
    }
    pen.textAlign = 'right';
    pen.textBaseline = 'middle';
    const everyLayer = Math.ceil(14 / down);
    for (let layer = 0; layer < this.#layers; layer += everyLayer) {
      pen.fillText(String(layer + 1), left - 6, top + (layer + 0.5) * down);
    }
  }

  #mark(pen: CanvasRenderingContext2D, room: Room, theme: Theme): void {
    const { across, down } = this.#cell(room);
    const { layer, head } = this.#selection.current;
    pen.lineWidth = 2;
    if (layer !== null || head !== null) {
      pen.strokeStyle = theme.focus;
      pen.strokeRect(
        left + (head ?? 0) * across,
        top + (layer ?? 0) * down,
        head === null ? this.#columns * across : across,
        layer === null ? this.#layers * down : down,
      );
    }
    if (this.#pointed !== null) {
      const pointed = this.#heads[this.#pointed];
      pen.strokeStyle = theme.foreground;
      pen.strokeRect(left + pointed.head * across, top + pointed.layer * down, across, down);
    }
  }
}

function valueText(measure: HeadMeasure, value: number | null): string {
  if (value === null) {
    return '–';
  }
  return measure !== 'selected' && headMeasures[measure].unit === 'tiles' ? t('{0} tiles', formatFigure(value)) : formatShare(value);
}

function valueShown(measure: HeadMeasure, value: number | null): Shown {
  return value === null ? words('–') : { text: valueText(measure, value), value };
}

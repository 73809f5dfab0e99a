import { tokenMeans, worstStretches } from '../../src/core/atlas/view';
import { formatCount, formatFigure } from '../../src/core/format';
import type { LabAtlas } from '../../src/protocol/lab';
import { element, setAttributes, setText, setVisible } from '../dom';
import type { Folds } from '../host';
import { t } from '../l10n';
import type { Theme, ThemeWatcher } from '../theme';
import { dataBehind } from '../ui/section';
import { figure, words } from '../ui/shown';
import { DataTable } from '../ui/tables';
import { fontOf, onDrag, Picture, type Room } from './picture';
import type { Selection } from './selection';
import { rangeText } from './words';

/** Height of a curve, and room for its axis, in CSS pixels. */
const [height, left, top] = [84, 52, 16];
/** Share of all tokens that an arrow key moves by. */
const step = 1 / 64;
/** Stretches in the table. */
const mostWorst = 12;

/** Loss and divergence token by token: a brush on it selects tokens in all pictures and marks them in the text. */
export class TokenStrip {
  readonly element: HTMLElement;
  readonly #selection: Selection;
  readonly #picture: Picture;
  readonly #reading = element('p', { class: 'reading', 'data-testid': 'strip-reading', 'aria-live': 'polite' });
  readonly #table = new DataTable(
    t('Where the mask changes predictions most'),
    [{ title: t('Tokens') }, { title: t('KL, nats'), numeric: true }],
    { 'data-testid': 'strip-table' },
  );
  #data: LabAtlas | null = null;

  constructor(host: Folds, theme: ThemeWatcher, selection: Selection) {
    this.#selection = selection;
    this.#picture = new Picture(
      theme,
      {
        heightFor: () => (this.#data?.byToken?.divergence == null ? 1 : 2) * (height + top) + 18,
        paint: (pen, room, current) => this.#paint(pen, room, current),
        mark: (pen, room, current) => this.#mark(pen, room, current),
      },
      { 'data-testid': 'token-strip' },
    );
    onDrag(this.#picture.canvas, (from, to) => {
      const tokens = [from, to].map(({ x }) => this.#tokenAt(x));
      this.#select(Math.min(...tokens), Math.max(...tokens) + 1);
    });
    this.#picture.canvas.addEventListener('keydown', (event) => this.#press(event));
    this.element = element(
      'div',
      { class: 'token-strip' },
      this.#picture.element,
      this.#reading,
      dataBehind(host, 'strip', t('Where the mask changes predictions most, as a table'), this.#table.element),
    );
  }

  /** Shows another atlas. */
  show(data: LabAtlas): void {
    this.#data = data;
    const { byToken, partition } = data;
    setVisible(this.element, byToken !== null);
    if (byToken === null) {
      return;
    }
    const worst = worstStretches(byToken, partition.tokens, mostWorst);
    this.#table.update(worst.map((stretch) => ({ cells: [words(rangeText(stretch)), figure(stretch.value)] })));
    setAttributes(this.#picture.canvas, {
      'aria-label':
        worst.length === 0
          ? t('Loss by token. Arrow keys move the selection, with Shift they widen it.')
          : t(
              'Loss and KL divergence by token; the highest divergence is {0} nats, at tokens {1}. Arrow keys move the selection, with Shift they widen it.',
              formatFigure(worst[0].value),
              rangeText(worst[0]),
            ),
    });
    this.#picture.repaint();
    this.mark();
  }

  /** Draws the selection again. */
  mark(): void {
    this.#picture.redraw();
    const [data, { range }] = [this.#data, this.#selection.current];
    if (data?.byToken == null) {
      return;
    }
    const means = range && tokenMeans(data.byToken, range);
    setText(
      this.#reading,
      range === null || means === null
        ? t('Drag over the curves to select tokens.')
        : means.divergence === null
          ? t('Tokens {0}: mean loss {1} nats.', rangeText(range), formatFigure(means.loss))
          : t(
              'Tokens {0}: mean loss {1} nats, {2} under the mask; mean KL {3}.',
              rangeText(range),
              formatFigure(means.loss),
              formatFigure(means.maskedLoss ?? NaN),
              formatFigure(means.divergence),
            ),
    );
  }

  #tokens(): number {
    return this.#data?.partition.tokens ?? 1;
  }

  #tokenAt(x: number): number {
    const share = (x - left) / Math.max(1, this.#picture.room.width - left);
    return Math.min(this.#tokens() - 1, Math.max(0, Math.floor(share * this.#tokens())));
  }

  #select(from: number, to: number): void {
    this.#selection.set({ range: { from, to } });
  }

  #press(event: KeyboardEvent): void {
    const way = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    if (way === 0 || event.ctrlKey || event.metaKey || event.altKey) {
      return;
    }
    event.preventDefault();
    const [tokens, { range }] = [this.#tokens(), this.#selection.current];
    const by = way * Math.max(1, Math.round(step * tokens));
    if (range === null) {
      this.#select(0, Math.max(1, Math.round(step * tokens)));
    } else if (event.shiftKey) {
      this.#select(range.from, Math.min(tokens, Math.max(range.from + 1, range.to + by)));
    } else {
      const length = range.to - range.from;
      const from = Math.min(tokens - length, Math.max(0, range.from + by));
      this.#select(from, from + length);
    }
  }

  #paint(pen: CanvasRenderingContext2D, { width }: Room, theme: Theme): void {
    const data = this.#data;
    if (data?.byToken == null) {
      return;
    }
    const { loss, divergence, stretch } = data.byToken;
    const curves = [
      { title: t('loss, nats'), values: loss, colour: theme.muted },
      ...(divergence === null ? [] : [{ title: t('KL, nats: what the mask changes'), values: divergence, colour: theme.colours.orange }]),
    ];
    pen.font = fontOf(theme, 0.8);
    curves.forEach(({ title, values, colour }, index) => {
      const base = (index + 1) * (height + top);
      const most = values.reduce((highest, value) => (value > highest ? value : highest), 0);
      pen.strokeStyle = theme.grid;
      pen.lineWidth = 1;
      pen.beginPath();
      pen.moveTo(left, base + 0.5);
      pen.lineTo(width, base + 0.5);
      pen.stroke();
      pen.fillStyle = theme.muted;
      pen.textBaseline = 'alphabetic';
      pen.textAlign = 'left';
      pen.fillText(title, left + 2, base - height + 2);
      pen.textAlign = 'right';
      pen.fillText(formatFigure(most), left - 6, base - height + 14);
      pen.fillText('0', left - 6, base);
      // Of stretches that share a pixel the highest, as a bar: peaks never vanish.
      const columns = Math.min(values.length, Math.floor(width - left));
      const wide = (width - left) / columns;
      pen.fillStyle = colour;
      for (let column = 0; column < columns; column += 1) {
        const [from, to] = [Math.floor((column * values.length) / columns), Math.floor(((column + 1) * values.length) / columns)];
        let peak = 0;
        for (let at = from; at < to; at += 1) {
          peak = Math.max(peak, values[at]);
        }
        const tall = most === 0 ? 0 : (peak / most) * (height - 18);
        pen.fillRect(left + column * wide, base - tall, Math.max(1, wide - (wide > 3 ? 1 : 0)), tall);
      }
    });
    pen.fillStyle = theme.muted;
    pen.textAlign = 'right';
    pen.textBaseline = 'alphabetic';
    const end = t('token 2 to {0}', formatCount(data.partition.tokens));
    pen.fillText(
      stretch === 1 ? end : `${end}, ${t('means over {0} tokens', formatCount(stretch))}`,
      width - 2,
      curves.length * (height + top) + 14,
    );
  }

  #mark(pen: CanvasRenderingContext2D, { width, height: tall }: Room, theme: Theme): void {
    const { range } = this.#selection.current;
    if (range === null || this.#data === null) {
      return;
    }
    const at = (token: number): number => left + ((width - left) * token) / this.#tokens();
    const wide = Math.max(2, at(range.to) - at(range.from));
    pen.globalAlpha = 0.18;
    pen.fillStyle = theme.focus;
    pen.fillRect(at(range.from), 0, wide, tall - 18);
    pen.globalAlpha = 1;
    pen.strokeStyle = theme.focus;
    pen.lineWidth = 1;
    pen.strokeRect(at(range.from) + 0.5, 0.5, wide, tall - 19);
  }
}

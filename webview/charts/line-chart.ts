import { Chart, LinearScale, LineController, LineElement, LogarithmicScale, PointElement, Tooltip } from 'chart.js';
import { element, setAttributes } from '../dom';
import type { Theme, ThemeWatcher } from '../theme';
import { configureLines } from './line-configure';
import { lineLegend } from './line-legend';
import type { LineModel, LinePoint } from './line-model';
import { intervals, marks } from './line-plugins';

Chart.register(LineController, LineElement, PointElement, LinearScale, LogarithmicScale, Tooltip);

/** Lines over x with their legend, in the theme's colours: built once, updated in place, never animated. The arrow keys walk along x. */
export class LineChart {
  readonly #canvas = element('canvas', { role: 'img', tabindex: 0 });
  readonly #legend = element('ul', { class: 'legend' });
  readonly element = element('div', { class: 'line-chart' }, element('div', { class: 'chart' }, this.#canvas), this.#legend);
  readonly #theme: ThemeWatcher;
  #model: LineModel | null = null;
  #chart: Chart<'line', LinePoint[]> | null = null;

  constructor(theme: ThemeWatcher, testId: string) {
    this.#theme = theme;
    setAttributes(this.#canvas, { 'data-testid': testId });
    theme.onChange((current) => {
      // An open tooltip keeps the colours that it was made with.
      this.#point([]);
      this.#draw(current);
    });
    this.#canvas.addEventListener('keydown', (event) => this.#walk(event));
    this.#canvas.addEventListener('blur', () => this.#point([]));
  }

  /** Shows other lines. */
  show(model: LineModel): void {
    this.#model = model;
    setAttributes(this.#canvas, { 'aria-label': model.description });
    this.#legend.replaceChildren(...lineLegend(model.series));
    this.#draw(this.#theme.current);
  }

  #draw(theme: Theme): void {
    if (this.#model === null) {
      return;
    }
    const { data, options } = configureLines(this.#model, theme);
    if (this.#chart === null) {
      this.#chart = new Chart(this.#canvas, { type: 'line', data, options, plugins: [marks, intervals] });
      return;
    }
    this.#chart.data = data;
    this.#chart.options = options;
    this.#chart.update('none');
  }

  /** Moves the tooltip to the next place on x that has a point. */
  #walk(event: KeyboardEvent): void {
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    if (event.key === 'Escape') {
      this.#point([]);
    }
    if (step === 0 || this.#model === null || this.#chart === null) {
      return;
    }
    event.preventDefault();
    const places = [...new Set(this.#model.series.flatMap(({ points }) => points.map(({ x }) => x)))].sort((one, other) => one - other);
    const [current] = this.#chart.getActiveElements().map(({ datasetIndex, index }) => this.#model?.series[datasetIndex].points[index].x);
    const next = current === undefined ? (step > 0 ? 0 : places.length - 1) : places.indexOf(current) + step;
    const x = places[Math.min(places.length - 1, Math.max(0, next))];
    this.#point(
      this.#model.series.flatMap(({ points }, datasetIndex) =>
        points.flatMap((point, index) => (point.x === x ? [{ datasetIndex, index }] : [])),
      ),
    );
  }

  #point(elements: { readonly datasetIndex: number; readonly index: number }[]): void {
    this.#chart?.setActiveElements(elements);
    this.#chart?.tooltip?.setActiveElements(elements, { x: 0, y: 0 });
    this.#chart?.update('none');
  }
}

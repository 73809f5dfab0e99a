import {
  Chart,
  type ChartType,
  LinearScale,
  LineController,
  LineElement,
  LogarithmicScale,
  type Plugin,
  PointElement,
  Tooltip,
} from 'chart.js';
import { element, setAttributes } from '../dom';
import type { Theme, ThemeWatcher } from '../theme';
import { configureLines, type LineModel, type LinePoint, type LineSeries } from './line-model';
import { markSwatch } from './marks';

/** Legend entries: each series as drawn, with its label. */
function lineLegend(series: readonly LineSeries[]): HTMLElement[] {
  return series.map((each) =>
    element('li', { class: each.emphasised === true ? 'emphasised' : null }, swatch(each), element('span', {}, each.label)),
  );
}

function swatch({ mark, line, emphasised }: LineSeries): SVGElement {
  const dashes = line === 'dashed' ? '6 4' : line === 'steps' ? '2 3' : null;
  return markSwatch(mark, line === 'none' ? undefined : { dashes, width: emphasised === true ? 2.5 : 1.3 });
}

/** The plugin's options: the highlighted place, and the colour of its line. */
interface MarkOptions {
  readonly mark?: LineModel['mark'];
  readonly colour?: string;
}

declare module 'chart.js' {
  interface PluginOptionsByType<TType extends ChartType> {
    marks?: TType extends 'line' ? MarkOptions : never;
  }
}

/** Chart.js plugin: a dotted vertical line at the highlighted x, with its label above. */
const marks: Plugin<'line', MarkOptions> = {
  id: 'marks',
  beforeDatasetsDraw({ ctx: pen, chartArea: { top, bottom, left, right }, scales, options }, _args, { mark, colour }) {
    if (!mark || mark.x < scales['x'].min || mark.x > scales['x'].max) {
      return;
    }
    const x = scales['x'].getPixelForValue(mark.x);
    pen.save();
    pen.strokeStyle = colour ?? 'gray';
    pen.fillStyle = pen.strokeStyle;
    pen.setLineDash([1, 3]);
    pen.beginPath();
    pen.moveTo(x, top);
    pen.lineTo(x, bottom);
    pen.stroke();
    pen.font = `${options.font?.size}px ${options.font?.family}`;
    pen.textBaseline = 'bottom';
    const half = pen.measureText(mark.label).width / 2;
    pen.textAlign = 'center';
    pen.fillText(mark.label, Math.min(Math.max(x, left + half), right - half), top - 1);
    pen.restore();
  },
};

/** Half the width of a whisker's caps, in CSS pixels. */
const capWidth = 3;

/** Chart.js plugin: draws the interval of every point that has one as a whisker. */
const intervals: Plugin<'line'> = {
  id: 'intervals',
  beforeDatasetsDraw(chart) {
    const {
      ctx: pen,
      chartArea: { top, bottom },
      scales,
    } = chart;
    const onChart = (y: number): number => Math.min(Math.max(scales['y'].getPixelForValue(y), top), bottom);
    pen.save();
    for (const { data, index } of chart.getSortedVisibleDatasetMetas()) {
      const { borderColor, data: points } = chart.data.datasets[index];
      pen.strokeStyle = typeof borderColor === 'string' ? borderColor : 'gray';
      pen.lineWidth = 1;
      pen.beginPath();
      (points as LinePoint[]).forEach(({ low, high }, place) => {
        if (low === undefined || high === undefined) {
          return;
        }
        const { x } = data[place].getProps(['x'], true) as { x: number };
        // A logarithmic axis ends above 0: the whisker reaches its floor.
        const [from, to] = [low > 0 || scales['y'].type === 'linear' ? onChart(low) : bottom, onChart(high)];
        pen.moveTo(x, from);
        pen.lineTo(x, to);
        for (const end of [from, to]) {
          pen.moveTo(x - capWidth, end);
          pen.lineTo(x + capWidth, end);
        }
      });
      pen.stroke();
    }
    pen.restore();
  },
};

Chart.register(LineController, LineElement, PointElement, LinearScale, LogarithmicScale, Tooltip);

/**
 * Lines over x with a legend, in the theme's colours: built once, updated in place, never animated. The arrow keys move the
 * tooltip along x.
 */
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
      // An open tooltip keeps the colours it was created with.
      this.#point([]);
      this.#draw(current);
    });
    this.#canvas.addEventListener('keydown', (event) => this.#walk(event));
    this.#canvas.addEventListener('blur', () => this.#point([]));
  }

  /** Shows new lines. */
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

  /** Moves the tooltip to the next x that has a point. */
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

import {
  BarController,
  BarElement,
  CategoryScale,
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
import { type BarKind, type BarModel, configure } from './bar-configure';

/** The plugin's options: how to format a sum. */
interface ValueLabelOptions {
  readonly format?: (value: number) => string;
}

declare module 'chart.js' {
  interface PluginOptionsByType<TType extends ChartType> {
    valueLabels?: TType extends BarKind ? ValueLabelOptions : never;
  }
}

/** Chart.js plugin: writes the sum of a category at the end of its bar or at its marker, whichever lies further out. */
const valueLabels: Plugin<BarKind, ValueLabelOptions> = {
  id: 'valueLabels',
  afterDatasetsDraw(chart, _args, { format }) {
    const { ctx: pen, data } = chart;
    const rows = data.labels?.length ?? 0;
    pen.save();
    const { color } = chart.options;
    pen.fillStyle = typeof color === 'string' ? color : 'gray';
    pen.font = `${chart.options.font?.size}px ${chart.options.font?.family}`;
    pen.textBaseline = 'middle';
    for (let row = 0; row < rows; row += 1) {
      let sum = 0;
      let known = false;
      let end = 0;
      let middle = 0;
      for (const { type, data: parts, index } of chart.getSortedVisibleDatasetMetas()) {
        const value = data.datasets[index].data[row];
        if (value === null) {
          continue;
        }
        const { x, y } = parts[row].getProps(['x', 'y'], true) as { x: number; y: number };
        if (type === 'bar') {
          sum += Number(value);
          known = true;
          middle = y;
        }
        end = Math.max(end, type === 'bar' ? x + 5 : x + 10);
      }
      if (known) {
        pen.fillText(format?.(sum) ?? String(sum), end, middle);
      }
    }
    pen.restore();
  },
};

Chart.register(BarController, BarElement, LineController, LineElement, PointElement, CategoryScale, LinearScale, LogarithmicScale, Tooltip);

/** Height of one bar's row and of the axis below it, in CSS pixels. */
const rowHeight = 34;
const axisHeight = 34;

/** A horizontal bar chart in the theme's colours: built once, updated in place, never animated. */
export class BarChart {
  readonly #canvas = element('canvas', { role: 'img' });
  readonly element = element('div', { class: 'chart' }, this.#canvas);
  readonly #theme: ThemeWatcher;
  #model: BarModel | null = null;
  #chart: Chart<BarKind, (number | null)[], string> | null = null;

  constructor(theme: ThemeWatcher, testId: string) {
    this.#theme = theme;
    setAttributes(this.#canvas, { 'data-testid': testId });
    theme.onChange((current) => this.#draw(current));
  }

  /** Shows new values. */
  show(model: BarModel): void {
    this.#model = model;
    setAttributes(this.#canvas, { 'aria-label': model.description });
    this.element.style.height = `${model.categories.length * (model.rowHeight ?? rowHeight) + (model.withoutAxis === true ? 0 : axisHeight)}px`;
    this.#draw(this.#theme.current);
  }

  #draw(theme: Theme): void {
    const pen = this.#canvas.getContext('2d');
    if (this.#model === null || pen === null) {
      return;
    }
    const { data, options } = configure(this.#model, theme, pen);
    if (this.#chart === null) {
      this.#chart = new Chart(this.#canvas, { type: 'bar', data, options, plugins: [valueLabels] });
      return;
    }
    this.#chart.data = data;
    this.#chart.options = options;
    this.#chart.update('none');
  }
}

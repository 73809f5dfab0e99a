import {
  BarController,
  BarElement,
  CategoryScale,
  Chart,
  LinearScale,
  LineController,
  LineElement,
  LogarithmicScale,
  PointElement,
  Tooltip,
} from 'chart.js';
import { element, setAttributes } from '../dom';
import type { Theme, ThemeWatcher } from '../theme';
import { configure, type BarKind, type BarModel } from './bar-configure';
import { valueLabels } from './value-labels';

Chart.register(BarController, BarElement, LineController, LineElement, PointElement, CategoryScale, LinearScale, LogarithmicScale, Tooltip);

/** Height of one bar's row and of the axis below, in CSS pixels. */
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

  /** Shows other values. */
  show(model: BarModel): void {
    this.#model = model;
    setAttributes(this.#canvas, { 'aria-label': model.description });
    this.element.style.height = `${model.categories.length * (model.rowHeight ?? rowHeight) + axisHeight}px`;
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

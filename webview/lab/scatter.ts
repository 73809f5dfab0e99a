import { Chart, LinearScale, LineController, LineElement, LogarithmicScale, type Plugin, PointElement, Tooltip } from 'chart.js';
import { around, type Box, placeLabel } from '../../src/core/draw/plot';
import { markColour, type PointMark } from '../../src/core/draw/point-marks';
import { type AxisModel, axisOptions, tooltipOptions } from '../charts/axes';
import { pointStyleOf } from '../charts/marks';
import { element, setAttributes } from '../dom';
import type { Theme, ThemeWatcher } from '../theme';

/** A point with its direct label. */
export interface ScatterPoint {
  readonly x: number;
  readonly y: number;
  /** Ends of an interval of y; null where there is none. */
  readonly low: number | null;
  readonly high: number | null;
  readonly mark: PointMark;
  /** Beside the mark. */
  readonly label: string;
  /** In the tooltip. */
  readonly note: string;
  /** Pale: others beat it. */
  readonly faded: boolean;
}

/** The content of a scatter chart. */
export interface ScatterModel {
  /** The chart in words, for screen readers. */
  readonly description: string;
  readonly x: AxisModel;
  readonly y: AxisModel;
  readonly points: readonly ScatterPoint[];
  /** Corners of a line through the chart, such as a front. */
  readonly line: readonly { readonly x: number; readonly y: number }[];
  readonly stepped: boolean;
}

type Place = { readonly x: number; readonly y: number };

/** The plugin's options. */
interface LabelOptions {
  readonly points?: readonly ScatterPoint[];
  /** The line as it is drawn, corners of steps included. */
  readonly line?: readonly Place[];
  readonly theme?: Theme;
}

/** Half the width of a whisker's caps, in CSS pixels. */
const capWidth = 3;

/** Chart.js plugin: an interval through each point that has one, and the points' labels where they cover the least. */
const labels: Plugin<'line', LabelOptions> = {
  id: 'directLabels',
  afterDatasetsDraw(chart, _args, { points = [], line = [], theme }) {
    if (theme === undefined || points.length === 0) {
      return;
    }
    const { ctx: pen, chartArea, scales } = chart;
    const plot: Box = { x: chartArea.left, y: chartArea.top, width: chartArea.width, height: chartArea.height };
    const at = ({ x, y }: Pick<ScatterPoint, 'x' | 'y'>): readonly [number, number] => [
      scales['x'].getPixelForValue(x),
      scales['y'].getPixelForValue(y),
    ];
    const bottom = chartArea.bottom;
    const places = points.map(at);
    const taken: Box[] = places.map(([x, y]) => ({ x: x - 7, y: y - 7, width: 14, height: 14 }));
    const corners = line.map(at);
    const lines: Box[] = corners.slice(1).map((corner, index) => around(corners[index], corner));
    pen.save();
    pen.lineWidth = 1;
    points.forEach(({ x, low, high, mark }, index) => {
      if (low !== null && high !== null) {
        const [across] = places[index];
        const [from, to] = [low > 0 ? Math.min(bottom, at({ x, y: low })[1]) : bottom, Math.max(chartArea.top, at({ x, y: high })[1])];
        pen.strokeStyle = markColour(mark, theme.ground);
        pen.beginPath();
        pen.moveTo(across, from);
        pen.lineTo(across, to);
        for (const end of [from, to]) {
          pen.moveTo(across - capWidth, end);
          pen.lineTo(across + capWidth, end);
        }
        pen.stroke();
        lines.push(around([across, from], [across, to]));
      }
    });
    pen.font = `${Math.max(10, Math.round(0.8 * theme.fontSize))}px ${theme.fontFamily}`;
    pen.textBaseline = 'middle';
    pen.textAlign = 'left';
    points.forEach(({ label, faded }, index) => {
      const [x, y] = places[index];
      const box = placeLabel(x, y, { width: pen.measureText(label).width, height: 13 }, { plot, lines, taken });
      taken.push(box);
      // A label that is away from its point is tied to it.
      const near = [Math.min(Math.max(x, box.x), box.x + box.width), Math.min(Math.max(y, box.y), box.y + box.height)] as const;
      if (Math.hypot(near[0] - x, near[1] - y) > 14) {
        pen.strokeStyle = theme.grid;
        pen.beginPath();
        pen.moveTo(x, y);
        pen.lineTo(...near);
        pen.stroke();
      }
      // Where no place is free of lines, a halo of the ground keeps the text readable.
      pen.lineWidth = 3;
      pen.lineJoin = 'round';
      pen.strokeStyle = theme.background;
      pen.strokeText(label, box.x, box.y + box.height / 2);
      pen.lineWidth = 1;
      pen.fillStyle = faded ? theme.muted : theme.foreground;
      pen.fillText(label, box.x, box.y + box.height / 2);
    });
    pen.restore();
  },
};

declare module 'chart.js' {
  interface PluginOptionsByType<TType> {
    directLabels?: TType extends 'line' ? LabelOptions : never;
  }
}

Chart.register(LineController, LineElement, PointElement, LinearScale, LogarithmicScale, Tooltip);

/** The corners of a stepped line, which keeps its height until the next x. */
function steps(line: readonly Place[]): readonly Place[] {
  return line.flatMap(({ x, y }, index) =>
    index === 0
      ? [{ x, y }]
      : [
          { x, y: line[index - 1].y },
          { x, y },
        ],
  );
}

/** Points with direct labels and intervals, and a line: built once, updated in place, never animated. */
export class Scatter {
  readonly element: HTMLElement;
  readonly #canvas = element('canvas', { role: 'img', tabindex: 0 });
  readonly #theme: ThemeWatcher;
  #model: ScatterModel | null = null;
  #chart: Chart<'line', Place[]> | null = null;

  constructor(theme: ThemeWatcher, testId: string) {
    this.#theme = theme;
    setAttributes(this.#canvas, { 'data-testid': testId });
    this.element = element('div', { class: 'scatter' }, this.#canvas);
    theme.onChange(() => this.#draw());
    this.#canvas.addEventListener('keydown', (event) => this.#walk(event));
    this.#canvas.addEventListener('blur', () => this.#point(null));
  }

  /** Shows other points. */
  show(model: ScatterModel): void {
    this.#model = model;
    setAttributes(this.#canvas, { 'aria-label': model.description });
    this.#draw();
  }

  #draw(): void {
    const model = this.#model;
    if (model === null) {
      return;
    }
    const theme = this.#theme.current;
    const { points, line, stepped } = model;
    const styles = points.map(({ mark, faded }) => pointStyleOf(mark, theme, faded));
    const font = { family: theme.fontFamily, size: Math.max(10, theme.fontSize - 2) };
    const data = {
      datasets: [
        {
          data: points.map(({ x, y }) => ({ x, y })),
          showLine: false,
          pointStyle: styles.map(({ style }) => style) as never,
          pointRadius: 6,
          pointHoverRadius: 8,
          pointRotation: styles.map(({ turned }) => turned),
          pointBorderColor: styles.map(({ colour }) => colour),
          pointBorderWidth: points.map(({ faded }) => (faded ? 1 : 2)),
          pointBackgroundColor: styles.map(({ fill }) => fill),
          clip: 12,
          order: 0,
        },
        {
          data: [...line],
          showLine: true,
          stepped: stepped ? ('before' as const) : (false as const),
          pointRadius: 0,
          pointHitRadius: 0,
          borderColor: theme.muted,
          borderWidth: 1.3,
          borderDash: [5, 4],
          order: 1,
        },
      ],
    };
    const [xs, ys] = [
      [...points, ...line].map(({ x }) => x),
      [...points.flatMap(({ y, low, high }) => [y, low ?? y, high ?? y]), ...line.map(({ y }) => y)],
    ];
    const options = {
      animation: false as const,
      responsive: true,
      maintainAspectRatio: false,
      font,
      color: theme.foreground,
      layout: { padding: { top: 10, right: 14 } },
      interaction: { mode: 'nearest' as const, intersect: true },
      scales: {
        x: axisOptions(model.x, xs, theme),
        y: axisOptions(model.y, model.y.scale === 'linear' ? ys : ys.filter((y) => y > 0), theme),
      },
      plugins: {
        directLabels: { points, line: stepped ? steps(line) : [], theme },
        tooltip: {
          ...tooltipOptions(theme),
          filter: ({ datasetIndex }: { readonly datasetIndex: number }) => datasetIndex === 0,
          callbacks: { title: () => '', label: ({ dataIndex }: { readonly dataIndex: number }) => points[dataIndex]?.note ?? '' },
        },
      },
    };
    if (this.#chart === null) {
      this.#chart = new Chart<'line', Place[]>(this.#canvas, { type: 'line', data, options, plugins: [labels] });
      return;
    }
    this.#chart.data = data;
    this.#chart.options = options;
    this.#chart.update('none');
  }

  /** Moves the tooltip to the next point along x. */
  #walk(event: KeyboardEvent): void {
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    if (event.key === 'Escape') {
      this.#point(null);
    }
    const count = this.#model?.points.length ?? 0;
    if (step === 0 || count === 0 || this.#chart === null) {
      return;
    }
    event.preventDefault();
    const [active] = this.#chart.getActiveElements();
    const next = (active as typeof active | undefined) === undefined ? (step > 0 ? 0 : count - 1) : active.index + step;
    this.#point(Math.min(count - 1, Math.max(0, next)));
  }

  #point(index: number | null): void {
    const elements = index === null ? [] : [{ datasetIndex: 0, index }];
    this.#chart?.setActiveElements(elements);
    this.#chart?.tooltip?.setActiveElements(elements, { x: 0, y: 0 });
    this.#chart?.update('none');
  }
}

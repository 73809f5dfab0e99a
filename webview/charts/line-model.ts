import type { ChartData, ChartDataset, ChartOptions } from 'chart.js';
import type { Theme } from '../theme';
import { type AxisModel, axisOptions, tooltipOptions } from './axes';
import { type LineMark, pointStyleOf } from './marks';

/** A point; `low` and `high` are the ends of an interval of y. */
export interface LinePoint {
  readonly x: number;
  readonly y: number;
  readonly low?: number;
  readonly high?: number;
}

/** A line through points, or points only. */
export interface LineSeries {
  readonly label: string;
  readonly points: readonly LinePoint[];
  readonly mark: LineMark;
  /** `steps` hold a value until the next point. */
  readonly line: 'solid' | 'dashed' | 'steps' | 'none';
  /** Drawn heavier than the others. */
  readonly emphasised?: boolean;
  /** Tooltip text of each point, in place of the label and y; an empty text gives no tooltip. */
  readonly notes?: readonly string[];
}

/** The content of a line chart. */
export interface LineModel {
  /** The chart in words, for screen readers. */
  readonly description: string;
  readonly x: AxisModel;
  readonly y: AxisModel;
  readonly series: readonly LineSeries[];
  /** A highlighted place on x, with its label. */
  readonly mark: { readonly x: number; readonly label: string } | null;
}

/** Chart.js's data and options for a model under a theme. */
export function configureLines(model: LineModel, theme: Theme): { data: ChartData<'line', LinePoint[]>; options: ChartOptions<'line'> } {
  return { data: { datasets: model.series.map((series) => datasetOf(series, theme)) }, options: optionsOf(model, theme) };
}

function datasetOf({ label, points, mark, line, emphasised = false }: LineSeries, theme: Theme): ChartDataset<'line', LinePoint[]> {
  const { colour, fill, style, turned } = pointStyleOf(mark, theme);
  const radius = style === false ? 0 : emphasised ? 5 : 4;
  return {
    label,
    data: [...points],
    showLine: line !== 'none',
    stepped: line === 'steps' ? 'before' : false,
    borderColor: colour,
    borderWidth: emphasised ? 2.5 : 1.3,
    borderDash: line === 'dashed' ? [6, 4] : line === 'steps' ? [2, 3] : [],
    pointStyle: style,
    pointRotation: turned,
    pointRadius: radius,
    pointHoverRadius: radius + 1,
    pointBackgroundColor: fill,
    pointBorderColor: colour,
    pointBorderWidth: 1.5,
    clip: 8,
    // Lower is in front: points without a line, then dashed lines, which may lie on others, then emphasised lines.
    order: line === 'none' ? 0 : line === 'dashed' ? 1 : emphasised ? 2 : 3,
  };
}

function optionsOf(model: LineModel, theme: Theme): ChartOptions<'line'> {
  const all = model.series.flatMap(({ points }) => points);
  // An interval from few windows may be many times as wide as all values: it is cut off so that the values stay apart.
  const highest = Math.max(...all.map(({ y }) => y));
  const ends = all.flatMap(({ y, low, high }) => [y, low ?? y, Math.min(high ?? y, 1.5 * highest)]);
  const full = (axis: LineModel['x']): ((value: number) => string) => axis.formatFull ?? axis.format;
  return {
    animation: false,
    responsive: true,
    maintainAspectRatio: false,
    font: { family: theme.fontFamily, size: Math.max(10, theme.fontSize - 2) },
    color: theme.foreground,
    layout: { padding: { top: 14, right: 10 } },
    interaction: { mode: 'nearest', axis: 'x', intersect: false },
    scales: {
      x: axisOptions(
        model.x,
        all.map(({ x }) => x),
        theme,
      ),
      y: axisOptions(model.y, ends, theme),
    },
    plugins: {
      marks: { mark: model.mark, colour: theme.foreground },
      tooltip: {
        ...tooltipOptions(theme),
        // Leaves out points with empty notes, such as those of a front through points that have their own.
        filter: ({ datasetIndex, dataIndex }) => model.series[datasetIndex].notes?.[dataIndex] !== '',
        itemSort: (one, other) => (other.parsed.y ?? 0) - (one.parsed.y ?? 0),
        callbacks: {
          title: (items) =>
            items
              .slice(0, 1)
              .map(({ parsed }) => `${model.x.title}: ${full(model.x)(parsed.x ?? NaN)}`)
              .join(''),
          label: ({ datasetIndex, dataIndex, parsed }) => {
            const { label, notes } = model.series[datasetIndex];
            return notes?.[dataIndex] ?? `${label}: ${full(model.y)(parsed.y ?? NaN)}`;
          },
        },
      },
    },
  };
}

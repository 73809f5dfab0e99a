import type { ChartData, ChartOptions } from 'chart.js';
import { type Colour, type Pattern, patternFill, type Theme } from '../theme';
import { tooltipOptions, trimmed } from './axes';

export type BarKind = 'bar' | 'line';

/** One segment of every bar. */
interface BarSeries {
  readonly label: string;
  /** One value per category; null where unknown. */
  readonly values: readonly (number | null)[];
  readonly colour: Colour;
  readonly pattern: Pattern;
}

/** The content of a horizontal bar chart. */
export interface BarModel {
  /** The chart in words, for screen readers. */
  readonly description: string;
  /** Label of each category, as lines. */
  readonly categories: readonly (readonly string[])[];
  /** Index of the highlighted category, or null. */
  readonly emphasised: number | null;
  /** Stacked in this order. */
  readonly series: readonly BarSeries[];
  /** Points beside the bars, one per category. */
  readonly markers: { readonly label: string; readonly values: readonly (number | null)[] } | null;
  readonly logarithmic: boolean;
  readonly format: (value: number) => string;
  /** Formats the sum at the end of a bar; the default is the axis's format. */
  readonly formatSum?: ((value: number) => string) | undefined;
  /** Height of one bar's row in CSS pixels, where the default is too large. */
  readonly rowHeight?: number;
  /** Leaves out the axis of the values, which stand at the ends of the bars. */
  readonly withoutAxis?: boolean;
}

/** Chart.js's data and options for a model under a theme. */
export function configure(
  model: BarModel,
  theme: Theme,
  pen: CanvasRenderingContext2D,
): { data: ReturnType<typeof dataOf>; options: ReturnType<typeof optionsOf> } {
  return { data: dataOf(model, theme, pen), options: optionsOf(model, theme, pen) };
}

function dataOf(model: BarModel, theme: Theme, pen: CanvasRenderingContext2D): ChartData<BarKind, (number | null)[], string> {
  const ratio = window.devicePixelRatio;
  const bars = model.series.map(({ label, values, colour, pattern }) => ({
    type: 'bar' as const,
    label,
    data: [...values],
    backgroundColor: patternFill(pen, theme.colours[colour], pattern, ratio, ratio),
    borderColor: values.map((_value, index) => (index === model.emphasised ? theme.foreground : theme.colours[colour])),
    borderWidth: values.map((_value, index) => (index === model.emphasised ? 2 : 1)),
    borderSkipped: false as const,
    maxBarThickness: 18,
    order: 1,
  }));
  const points = model.markers && {
    type: 'line' as const,
    label: model.markers.label,
    data: [...model.markers.values],
    showLine: false,
    pointStyle: 'rectRot' as const,
    pointRadius: 5,
    pointHoverRadius: 6,
    pointBackgroundColor: theme.background,
    pointBorderColor: theme.foreground,
    pointBorderWidth: 2,
    clip: 8,
    order: 0,
  };
  return { labels: model.categories.map((lines) => lines.join('\n')), datasets: points ? [...bars, points] : bars };
}

function optionsOf(model: BarModel, theme: Theme, pen: CanvasRenderingContext2D): ChartOptions<BarKind> {
  const font = { family: theme.fontFamily, size: Math.max(10, theme.fontSize - 2) };
  const room = roomForTexts(model, font, pen);
  const weightOf = (index: number): 'bold' | 'normal' => (index === model.emphasised ? 'bold' : 'normal');
  return {
    animation: false,
    responsive: true,
    maintainAspectRatio: false,
    indexAxis: 'y',
    font,
    color: theme.foreground,
    layout: { autoPadding: false, padding: { top: 2, right: room.values } },
    interaction: { mode: 'index', axis: 'y', intersect: false },
    scales: {
      y: {
        stacked: true,
        grid: { display: false },
        border: { color: theme.border },
        // Chart.js truncates labels wider than half of the chart.
        afterFit: (axis) => {
          axis.width = room.labels;
        },
        ticks: {
          autoSkip: false,
          color: ({ index }) => (index === model.emphasised ? theme.foreground : theme.muted),
          font: ({ index }) => ({ ...font, weight: weightOf(index) }),
          callback: (_value, index) => [...model.categories[index]],
        },
      },
      x: {
        type: model.logarithmic ? 'logarithmic' : 'linear',
        stacked: true,
        display: model.withoutAxis !== true,
        ...(model.logarithmic ? { min: decadeBelow(model) } : { beginAtZero: true, max: furthest(model) }),
        grid: { color: theme.grid, lineWidth: 0.5 },
        border: { display: false },
        ticks: {
          color: theme.muted,
          font,
          includeBounds: false,
          maxRotation: 0,
          autoSkipPadding: 12,
          callback: (value) => tickLabel(model, Number(value)),
        },
      },
    },
    plugins: {
      valueLabels: { format: sumFormat(model) },
      tooltip: {
        ...tooltipOptions(theme),
        callbacks: {
          title: (items) =>
            items
              .slice(0, 1)
              .map(({ dataIndex }) => model.categories[dataIndex].join(' '))
              .join(''),
          label: ({ dataset, dataIndex }) => `${dataset.label ?? ''}: ${model.format(dataset.data[dataIndex] as number)}`,
        },
      },
    },
  };
}

/** Width of the category labels and of the values at the ends of the bars, in CSS pixels. */
function roomForTexts(model: BarModel, font: { readonly family: string; readonly size: number }, pen: CanvasRenderingContext2D) {
  const widest = (weight: string, texts: readonly string[]): number => {
    pen.font = `${weight} ${font.size}px ${font.family}`;
    return Math.max(0, ...texts.map((text) => pen.measureText(text).width));
  };
  return {
    labels: Math.ceil(widest('bold', model.categories.flat())) + 16,
    values: Math.ceil(widest('normal', totalsOf(model).map(sumFormat(model)))) + (model.markers === null ? 8 : 14),
  };
}

/** On a logarithmic axis only the powers of ten are labelled. */
function tickLabel({ logarithmic, format }: BarModel, value: number): string | null {
  return logarithmic && Math.abs(Math.log10(value) % 1) > 1e-9 ? null : trimmed(format(value));
}

/** The power of ten clearly below the smallest bar, so that every bar has a visible length. */
function decadeBelow(model: BarModel): number {
  return 10 ** Math.floor(Math.log10(Math.min(...drawn(model).filter((value) => value > 0))) - 0.3);
}

/** The end of the longest bar or the furthest marker: the axis ends there, so that the chart uses its full width. */
function furthest(model: BarModel): number {
  return Math.max(...drawn(model)) || 1;
}

/** All values drawn along the axis. */
function drawn(model: BarModel): readonly number[] {
  return [...totalsOf(model), ...(model.markers?.values ?? []).filter((value) => value !== null)];
}

function sumFormat({ format, formatSum = format }: BarModel): (value: number) => string {
  return formatSum;
}

function totalsOf({ series, categories }: BarModel): readonly number[] {
  return categories.map((_lines, index) => series.reduce((sum, { values }) => sum + (values[index] ?? 0), 0));
}

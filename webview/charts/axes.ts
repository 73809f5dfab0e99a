import type { ChartOptions, TooltipOptions } from 'chart.js';
import type { Theme } from '../theme';

type Looks = Pick<
  TooltipOptions<'line'>,
  'backgroundColor' | 'titleColor' | 'bodyColor' | 'borderColor' | 'borderWidth' | 'cornerRadius' | 'displayColors'
>;

/** A tooltip that looks like the editor's hovers. */
export function tooltipOptions({ hover }: Theme): Looks {
  return {
    backgroundColor: hover.background,
    titleColor: hover.foreground,
    bodyColor: hover.foreground,
    borderColor: hover.border,
    borderWidth: 1,
    cornerRadius: 3,
    displayColors: false,
  };
}

/** Width of a label along a logarithmic axis, in CSS pixels. */
const labelWidth = 52;
const labelHeight = 24;

/** Chart.js's options for an axis. @param values all values that must fit on it */
export function axisOptions(
  model: AxisModel,
  values: readonly number[],
  theme: Theme,
): NonNullable<ChartOptions<'line'>['scales']>[string] {
  const { title, scale, format } = model;
  const font = { family: theme.fontFamily, size: Math.max(10, theme.fontSize - 2) };
  const logarithmic = scale !== 'linear';
  return {
    type: logarithmic ? ('logarithmic' as const) : ('linear' as const),
    title: { display: true, text: title, color: theme.foreground, font, padding: 2 },
    grid: { color: theme.grid, lineWidth: 0.5, drawTicks: false },
    border: { color: theme.border },
    ...(scale === 'linear' ? { suggestedMin: model.from, suggestedMax: Math.max(...values) } : spanOf(values, scale)),
    ...(logarithmic && {
      afterBuildTicks: (axis: TickAxis) => {
        axis.ticks = ticksOf(axis, scale).map((value) => ({ value }));
      },
    }),
    ticks: {
      color: theme.muted,
      font,
      maxRotation: 0,
      padding: 5,
      autoSkip: !logarithmic,
      autoSkipPadding: 12,
      ...(model.whole === true && { precision: 0 }),
      callback: (value: number | string) => trimmed(format(Number(value))),
    },
  };
}

/** `1.00 M` as `1 M`: axes show round numbers. */
export function trimmed(text: string): string {
  return text.replace(/\.0+(?=\D|$)/, '');
}

/** Ends of a logarithmic axis: the values themselves, or the enclosing powers of ten where the values are far apart. */
function spanOf(values: readonly number[], scale: AxisModel['scale']): { readonly min?: number; readonly max?: number } {
  const positive = values.filter((value) => value > 0 && Number.isFinite(value));
  if (positive.length === 0) {
    return {};
  }
  const [least, most] = [Math.min(...positive), Math.max(...positive)];
  if (scale === 'powers of two') {
    return { min: least, max: most };
  }
  const far = most / least > 30;
  return far
    ? { min: 10 ** Math.floor(Math.log10(least) + 1e-9), max: 10 ** Math.ceil(Math.log10(most * 1.05)) }
    : { min: least / 1.2, max: most * 1.2 };
}

/** The parts of a Chart.js axis that its labels depend on. */
interface TickAxis {
  ticks: { value: number }[];
  readonly min: number;
  readonly max: number;
  readonly width: number;
  readonly height: number;
  isHorizontal(): boolean;
}

/** Round numbers on a logarithmic axis, as many as fit. */
function ticksOf(axis: TickAxis, scale: AxisModel['scale']): readonly number[] {
  const room = axis.isHorizontal() ? axis.width / labelWidth : axis.height / labelHeight;
  if (scale === 'powers of two') {
    return thinned(powersBetween(2, axis), room);
  }
  const decades = powersBetween(10, axis);
  const between = [axis.min / 10, ...decades].flatMap((decade) =>
    [1, 2, 5].map((digit) => digit * 10 ** Math.floor(Math.log10(decade) + 1e-9)),
  );
  const round = between.filter((value) => value >= axis.min && value <= axis.max);
  return decades.length >= 3
    ? thinned(decades, room)
    : round.length >= 2 && round.length <= room
      ? round
      : thinned(
          [axis.min, Math.sqrt(axis.min * axis.max), axis.max].map((value) => Number(value.toPrecision(2))),
          room,
        );
}

function powersBetween(base: number, { min, max }: Pick<TickAxis, 'min' | 'max'>): number[] {
  const exponent = (value: number): number => Math.log(value) / Math.log(base);
  const [first, last] = [Math.ceil(exponent(min) - 1e-9), Math.floor(exponent(max) + 1e-9)];
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => base ** (first + index));
}

/** Keeps every second, fourth or eighth power, until the labels fit: those whose exponent is a multiple of that step. */
function thinned(values: readonly number[], room: number): readonly number[] {
  const step = [1, 2, 4, 8].find((each) => values.length / each <= room) ?? 8;
  const last = values.length - 1;
  return values.filter((_, index) => (last - index) % step === 0);
}

/** An axis. On axes of powers of two and on logarithmic ones, all values are above 0. */
export interface AxisModel {
  readonly title: string;
  readonly scale: 'linear' | 'logarithmic' | 'powers of two';
  /** For labels at the axis. */
  readonly format: (value: number) => string;
  /** For tooltips, which show numbers in full. */
  readonly formatFull?: (value: number) => string;
  /** Linear axes only: where the axis begins, if not at the smallest value. */
  readonly from?: number;
  /** Label whole numbers only. */
  readonly whole?: boolean;
}

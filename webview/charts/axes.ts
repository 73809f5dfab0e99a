import type { ChartOptions } from 'chart.js';
import type { Theme } from '../theme';
import type { AxisModel } from './line-model';

/** Labels of an axis of powers of two are at least so far apart, in CSS pixels. */
const labelRoom = 44;

/** Chart.js's options for an axis. @param values that have to fit on it */
export function axisOptions(model: AxisModel, values: readonly number[], theme: Theme): NonNullable<ChartOptions<'line'>['scales']>[string] {
  const { title, scale, format } = model;
  const font = { family: theme.fontFamily, size: Math.max(10, theme.fontSize - 2) };
  const logarithmic = scale !== 'linear';
  return {
    type: logarithmic ? ('logarithmic' as const) : ('linear' as const),
    title: { display: true, text: title, color: theme.foreground, font, padding: 2 },
    grid: { color: theme.grid, lineWidth: 0.5, drawTicks: false },
    border: { color: theme.border },
    ...(scale === 'linear' ? { suggestedMin: model.from, suggestedMax: Math.max(...values) } : spanOf(values, scale)),
    ...(scale === 'powers of two' && {
      afterBuildTicks: (axis: { ticks: { value: number }[]; min: number; max: number; width: number }) => {
        axis.ticks = powersBetween(axis.min, axis.max, axis.width);
      },
    }),
    ticks: {
      color: theme.muted,
      font,
      maxRotation: 0,
      padding: 5,
      autoSkip: scale !== 'powers of two',
      autoSkipPadding: 12,
      ...(model.whole === true && { precision: 0 }),
      callback: (value: number | string) => (scale === 'logarithmic' && !isPowerOf(10, Number(value)) ? null : trimmed(format(Number(value)))),
    },
  };
}

/** Where a logarithmic axis begins and ends: at powers of its base around all values. */
function spanOf(values: readonly number[], scale: AxisModel['scale']): { readonly min?: number; readonly max?: number } {
  const positive = values.filter((value) => value > 0 && Number.isFinite(value));
  if (positive.length === 0) {
    return {};
  }
  const [least, most] = [Math.min(...positive), Math.max(...positive)];
  if (scale === 'powers of two') {
    return { min: least, max: most };
  }
  return { min: 10 ** Math.floor(Math.log10(least) + 1e-9), max: 10 ** Math.ceil(Math.log10(most * 1.05)) };
}

/** The powers of two of an axis, thinned out until their labels fit. */
function powersBetween(min: number, max: number, width: number): { value: number }[] {
  const [first, last] = [Math.ceil(Math.log2(min)), Math.floor(Math.log2(max))];
  const step = [1, 2, 4, 8].find((each) => (width * each) / Math.max(1, last - first) >= labelRoom) ?? 8;
  const powers: { value: number }[] = [];
  for (let exponent = Math.ceil(first / step) * step; exponent <= last; exponent += step) {
    powers.push({ value: 2 ** exponent });
  }
  return powers;
}

function isPowerOf(base: number, value: number): boolean {
  const exponent = Math.log(value) / Math.log(base);
  return Math.abs(exponent - Math.round(exponent)) < 1e-9;
}

/** `1.00 M` as `1 M`: numbers of an axis are round. */
function trimmed(text: string): string {
  return text.replace(/\.0+(?=\D|$)/, '');
}

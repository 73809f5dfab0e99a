import { formatBytes, formatCount, formatDeviation, formatDuration, formatError, formatFigure, formatShare } from '../format';
import { text } from '../l10n';

/** A number that records have in common, and how two of them are held against each other. */
interface Measure {
  /** English; translated where it is shown. */
  readonly title: string;
  readonly format: (value: number) => string;
  /** By how much one is more than the other: as a share of it, as its multiple, or as it is. */
  readonly difference: 'share' | 'factor' | 'amount';
}

/** The numbers of a table of records, in the order of its columns. */
export const measureTable = {
  calls: { title: text('calls'), format: formatCount, difference: 'share' },
  timeMs: { title: text('time'), format: formatDuration, difference: 'factor' },
  peakBytes: { title: text('memory'), format: formatBytes, difference: 'factor' },
  error: { title: text('error'), format: formatError, difference: 'factor' },
  kl: { title: 'KL', format: formatFigure, difference: 'amount' },
  perplexity: { title: text('perplexity'), format: formatFigure, difference: 'share' },
  cut: { title: text('cut off'), format: formatShare, difference: 'amount' },
} as const satisfies Readonly<Record<string, Measure>>;

export type MeasureName = keyof typeof measureTable;

export const measureNames = Object.keys(measureTable) as MeasureName[];

/**
 * What was measured of a record, or of a part of one; null where it was not.
 *
 * `calls` of the small transformer, `timeMs` of runs without their checks, `peakBytes` of resident memory, `error` as the largest of an
 * output, absolute in runs and relative in ledgers, `kl` in nats from the model's own attention, and the share `cut` of its mass.
 */
export type Measures = Readonly<Record<MeasureName, number | null>>;

/** Measures of which only some are known. */
export function measuresOf(known: Partial<Measures>): Measures {
  return { ...(Object.fromEntries(measureNames.map((name) => [name, null])) as Measures), ...known };
}

/** A measure as text; undefined where it is not known. */
export function measureText(name: MeasureName, { [name]: value }: Measures): string | undefined {
  return value === null ? undefined : Number.isFinite(value) ? measureTable[name].format(value) : String(value);
}

/** How far a measure is from the same of a baseline, such as `-40%`, `×0.5` or `+0.01`; undefined where one of them is not known. */
export function differenceText(name: MeasureName, { [name]: value }: Measures, { [name]: base }: Measures): string | undefined {
  if (value === null || base === null || !Number.isFinite(value) || !Number.isFinite(base)) {
    return undefined;
  }
  const { difference }: Measure = measureTable[name];
  if (difference === 'amount') {
    const more = rounded(value - base);
    return `${more > 0 ? '+' : ''}${formatFigure(more)}`;
  }
  if (base === 0 && value !== 0) {
    return undefined;
  }
  const ratio = value === base ? 1 : value / base;
  return difference === 'share' ? formatDeviation(ratio - 1) : `×${formatFigure(rounded(ratio))}`;
}

/** Two digits: two runs of one prompt differ in the third. */
function rounded(value: number): number {
  return Number(value.toPrecision(2));
}

import type { CurvePoint } from '../../src/core/compare/cost-curves';
import { formatBytes, formatCompact, formatCount, formatDuration, formatFlops } from '../../src/core/format';
import type { PanelCost } from '../../src/protocol/panel';
import { t } from '../l10n';
import type { Colour, Pattern } from '../theme';

/** A segment of every bar. */
interface MetricPart {
  readonly label: string;
  readonly of: (cost: PanelCost) => number | null;
  readonly colour: Colour;
  readonly pattern: Pattern;
  /** Class of its swatch in the legend. */
  readonly swatch: string;
}

/** One way to count the cost of a scenario. */
export interface CostMetric {
  readonly name: 'calls' | 'flops' | 'bytes' | 'time';
  readonly title: string;
  /** For bars and for the table over N. */
  readonly format: (value: number) => string;
  /** The same without abbreviation. */
  readonly formatFull: (value: number) => string;
  readonly parts: readonly MetricPart[];
  /** A point beside every bar. */
  readonly marker: { readonly label: string; readonly of: (cost: PanelCost) => number | null } | null;
  /** The chart over N. */
  readonly overN: {
    readonly title: string;
    readonly format?: (value: number) => string;
    readonly of: (point: CurvePoint) => number | null;
  };
  /** The theorem's bound on the metric, if there is one. */
  readonly bound: ((point: CurvePoint) => number) | null;
}

const blue = { colour: 'blue', pattern: 'solid', swatch: 'full' } as const;
const green = { colour: 'green', pattern: 'hatched', swatch: 'tokenwise' } as const;

/** The ways to count cost, in the order offered. */
export function costMetrics(): readonly CostMetric[] {
  return [
    {
      name: 'calls',
      title: t('Calls'),
      format: formatCompact,
      formatFull: formatCount,
      parts: [
        { label: t('attention calls'), of: ({ attentionCalls }) => attentionCalls, ...blue },
        { label: t('token-wise calls'), of: ({ tokenwiseCalls }) => tokenwiseCalls, ...green },
      ],
      marker: { label: t('the theorem’s bound on attention calls'), of: ({ boundCalls }) => boundCalls },
      overN: { title: t('attention calls'), of: ({ attentionCalls }) => attentionCalls },
      bound: ({ boundCalls }) => boundCalls,
    },
    {
      name: 'flops',
      title: t('FLOPs'),
      format: formatFlops,
      formatFull: formatFlops,
      parts: [
        { label: t('work of attention calls'), of: ({ attentionFlops }) => attentionFlops, ...blue },
        { label: t('work of token-wise calls'), of: ({ flops, attentionFlops }) => flops - attentionFlops, ...green },
      ],
      marker: null,
      overN: { title: t('floating-point operations'), of: ({ flops }) => flops },
      bound: null,
    },
    {
      name: 'bytes',
      title: t('Bytes'),
      format: formatBytes,
      formatFull: formatBytes,
      parts: [{ label: t('tensors at their peak, weights included'), of: ({ bytes }) => bytes, ...blue }],
      marker: null,
      overN: { title: t('bytes of tensors at their peak'), of: ({ bytes }) => bytes },
      bound: null,
    },
    {
      name: 'time',
      title: t('Time'),
      format: formatDuration,
      formatFull: formatDuration,
      parts: [{ label: t('expected wall time'), of: ({ predictedMs }) => predictedMs, ...blue }],
      marker: { label: t('measured in the newest run'), of: ({ measuredMs }) => measuredMs },
      overN: { title: t('expected wall time'), format: formatDecade, of: ({ predictedMs }) => predictedMs },
      bound: null,
    },
  ];
}

/** Milliseconds at a power of ten, never as minutes or hours, which are not powers of ten; `10^5 s` where digits would be many. */
function formatDecade(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  const exponent = Math.round(Math.log10(seconds));
  if (seconds < 1) {
    return formatDuration(milliseconds);
  }
  return exponent >= 4 && Math.abs(seconds / 10 ** exponent - 1) < 1e-6 ? `10^${exponent} s` : `${formatCompact(seconds)} s`;
}

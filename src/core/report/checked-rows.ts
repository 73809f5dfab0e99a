import { formatCount, formatNumberOf } from '../format';
import type { Fidelity } from './report';
import { rowsText, rowText } from './verdict';

/** How many ranges or rows that are wrong are written out. */
const mostWritten = 3;

/** Which rows of a run were checked and how, and which of them are wrong. @param tokens N */
export function checkedRows({ rows, probe, wrongRows }: Fidelity, tokens: number): string {
  const drawn = `${formatNumberOf(rows, 'row')} a head and layer`;
  const all = probe && (probe.rows === tokens ? 'every row' : `${formatCount(probe.rows)} of ${formatCount(tokens)} rows`);
  const checked = all ? `${all} by a probe, ${drawn} against float64` : `${drawn}, against float64`;
  const ranges = (probe?.wrongRows ?? []).map(rowsText);
  const single = (wrongRows ?? []).map(rowText);
  const wrong = [
    ...(ranges.length > 0 ? [`the probe finds wrong rows: ${written(ranges)}`] : []),
    ...(single.length > 0 ? [`float64 finds wrong rows: ${written(single)}`] : []),
  ];
  return [checked, ...wrong].join('; ');
}

function written(parts: readonly string[]): string {
  return `${parts.slice(0, mostWritten).join(', ')}${parts.length > mostWritten ? ', ...' : ''}`;
}

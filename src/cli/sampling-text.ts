import { formatCount, formatError, formatFigure, formatLogCount, formatNumberOf } from '../core/format';
import type { HeadSampling, SamplingReport } from '../core/report/sampling';

/** Theorem 4.1's assumption and what was seen, as lines. */
export function samplingLines({
  data,
  tokens,
  sample,
  epsilon,
  failureProbability,
  rows,
  heads,
  holds,
  logNeededLength,
  seeds,
  errors,
  within,
}: SamplingReport): string[] {
  const logCs = heads.map(({ logC }) => logC);
  const ds = heads.map(({ d }) => d);
  return [
    `Theorem 4.1 on ${formatCount(tokens)} tokens, each query reading ${formatCount(sample)} sampled keys (${data}):`,
    `  measured on ${formatCount(rows)} rows of ${formatNumberOf(heads.length, 'head')}: ln C from ${formatFigure(Math.min(...logCs))} to ${formatFigure(Math.max(...logCs))}, D from ${formatFigure(Math.min(...ds))} to ${formatFigure(Math.max(...ds))}`,
    ...perLayer(heads),
    `  for an error of ${formatFigure(epsilon)} with probability ${formatFigure(1 - failureProbability)} the theorem asks for M >= ${formatLogCount(logNeededLength)}: the assumption ${holds ? 'holds' : 'does not hold'} here`,
    `  over ${formatNumberOf(seeds, 'seed')} the largest relative error of a row was ${formatError(errors.minimum)} at least, ${formatError(errors.median)} in the median, ${formatError(errors.maximum)} at most; ${formatCount(within)} of ${formatCount(seeds)} stayed within ${formatFigure(epsilon)}`,
  ];
}

/** The constants of each layer's heads, where there is more than one layer; every head's own are in the JSON. */
function perLayer(heads: readonly HeadSampling[]): string[] {
  const layers = new Set(heads.map(({ layer }) => layer));
  if (layers.size === 1) {
    return [];
  }
  return [...layers].map((layer) => {
    const own = heads.filter((head) => head.layer === layer);
    return `    layer ${layer + 1}: ${own.map(({ logC, d }) => `ln C ${logC.toPrecision(3)} D ${formatError(d)}`).join(', ')}`;
  });
}

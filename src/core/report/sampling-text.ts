import { formatCount, formatError, formatFigure, formatLogCount, formatNumberOf } from '../format';
import { type HeadSampling, type SamplingReport, type SquareRatios, squareRatioRange } from './sampling';

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
  statisticalError: statistics,
  squareRatios,
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
    ...(statistics === undefined || !Number.isFinite(statistics)
      ? []
      : [`  statistics of these keys expect at most ${formatError(statistics)} of any of them`]),
    ...(squareRatios === undefined ? [] : [squaresLine(squareRatios)]),
  ];
}

/** How the squared errors compare with those of samples, as a line. */
function squaresLine({ normaliser, output, independent }: SquareRatios): string {
  const { from, to } = squareRatioRange(independent);
  return `  mean square error, in units of what samples of this size have: ${formatFigure(normaliser)} of normalisers, ${formatFigure(output)} of outputs; ${formatFigure(from)} to ${formatFigure(to)} is allowed`;
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

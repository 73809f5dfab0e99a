import { type Moments, mergeMoments } from './estimate';
import { growth, type Histogram } from './histogram';
import { type Measure, measures, type WindowSummary } from './statistics';

/** What float32 makes of a divergence or a loss of 0, in nats. */
const slack = 1e-3;

/**
 * What is impossible about the summary of a window, in a few words; undefined where nothing is.
 *
 * Counts fit each other, means are in their ranges, sums of squares are no less than the squares of sums allow, changes are the
 * differences of what changed, and divergences are those of their histogram.
 */
export function summaryComplaint({ bins, divergences, touched }: WindowSummary): string | undefined {
  const parts: Readonly<Record<Measure, Moments>>[] = [...bins, ...(touched === undefined ? [] : [touched])];
  const odd = parts.map(partComplaint).find((complaint) => complaint !== undefined);
  if (odd !== undefined) {
    return odd;
  }
  const all = Object.fromEntries(measures.map((measure) => [measure, mergeMoments(...bins.map((bin) => bin[measure]))])) as Record<
    Measure,
    Moments
  >;
  if (touched !== undefined && measures.some((measure) => touched[measure].count > all[measure].count)) {
    return 'more touched positions than positions';
  }
  return histogramComplaint(divergences, all.divergence);
}

function partComplaint(part: Readonly<Record<Measure, Moments>>): string | undefined {
  const { divergence, agreement, loss, baselineLoss, lossChange, probabilityChange, squaredProbabilityChange } = part;
  const positions = divergence.count;
  const losses = [loss, baselineLoss, lossChange, probabilityChange, squaredProbabilityChange];
  const wholes = measures.find((measure) => part[measure].infinite + part[measure].invalid > part[measure].count);
  const squares = measures.find((measure) => !squaresFit(part[measure]));
  const apart = Math.abs(loss.sum - baselineLoss.sum - lossChange.sum);
  switch (true) {
    case wholes !== undefined:
      return `more ${wholes} that is not finite than positions`;
    case agreement.count !== positions || losses.some(({ count }) => count !== positions && count !== 0):
      return 'counts that do not fit each other';
    case losses.some(({ count }) => count !== loss.count):
      return 'counts of losses that do not fit each other';
    case squares !== undefined:
      return `squares of ${squares} that do not fit their sum`;
    case agreement.sum < 0 || agreement.sum > positions || agreement.sum !== agreement.squares || !Number.isInteger(agreement.sum):
      return 'an agreement outside of 0 to 1';
    case [divergence, loss, baselineLoss].some(({ sum, count }) => sum < -slack * count):
      return 'a divergence or a loss below 0';
    case Math.abs(probabilityChange.sum) > probabilityChange.count + slack ||
      squaredProbabilityChange.sum > squaredProbabilityChange.count + slack:
      return 'a change of probability above 1';
    case isFinite(loss) && isFinite(baselineLoss) && apart > 1e-6 * (1 + Math.abs(loss.sum) + Math.abs(baselineLoss.sum)):
      return 'a change of loss that is not the difference of the losses';
    default:
      return undefined;
  }
}

function isFinite({ infinite, invalid }: Moments): boolean {
  return infinite + invalid === 0;
}

/** Cauchy and Schwarz: the square of a sum of n values is at most n times the sum of their squares. */
function squaresFit({ count, sum, squares, infinite, invalid }: Moments): boolean {
  const finite = count - infinite - invalid;
  return squares >= 0 && sum ** 2 <= finite * squares * (1 + 1e-9) + 1e-12;
}

function histogramComplaint({ zeros, buckets, infinite, invalid }: Histogram, { count, sum, ...odd }: Moments): string | undefined {
  const inBuckets = buckets.reduce((total, [, values]) => total + values, 0);
  if (zeros + inBuckets + infinite + invalid !== count || infinite !== odd.infinite || invalid !== odd.invalid) {
    return 'a histogram of other positions';
  }
  // Bucket i holds (g^(i - 1), g^i].
  const most = buckets.reduce((total, [bucket, values]) => total + values * growth ** bucket, 0);
  const least = most / growth - slack * zeros;
  const rounding = 1e-9 * (1 + most);
  return sum < least - rounding || sum > most + rounding + 1e-12 * zeros ? 'a divergence that is not that of its histogram' : undefined;
}

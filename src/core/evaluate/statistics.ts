import { addValue, type GrowingMoments, mergeMoments, type Moments, noMoments } from './estimate';
import { type Histogram, histogramOf, mergeHistograms } from './histogram';
import type { TextSize } from './text-size';

/** What was found at one scored position of a window. */
export interface ScoredPosition {
  /** 0-based position in the context. */
  readonly position: number;
  /** -ln of the probability of the token that really follows, in nats; undefined, like `baselineLoss`, where no token does: encoders. */
  readonly loss: number | undefined;
  readonly baselineLoss: number | undefined;
  /** KL(baseline || scenario), in nats. */
  readonly divergence: number;
  /** Whether both give the same most likely token. */
  readonly agrees: boolean;
  /** Whether the mask hides a key there that the model's own attention shows (`touchedPositions`); undefined where that is not known. */
  readonly touched?: boolean | undefined;
}

/** What is summed at a position. The change of the target's probability is e^-loss - e^-baselineLoss. */
export const measures = [
  'divergence',
  'agreement',
  'loss',
  'baselineLoss',
  'lossChange',
  'probabilityChange',
  'squaredProbabilityChange',
] as const;
export type Measure = (typeof measures)[number];

/** The positions `from` to `to - 1` of a window, summed. The measures of losses count only positions that have one. */
interface BinSummary extends Readonly<Record<Measure, Moments>> {
  readonly from: number;
  readonly to: number;
}

/** One window, summed: a run of the model over at most `context` tokens. Plain data, without NaN or Infinity: JSON keeps it whole. */
export interface WindowSummary {
  /** By position; the same ranges in all windows of an evaluation. */
  readonly bins: readonly BinSummary[];
  /** The divergences of all positions. */
  readonly divergences: Histogram;
  /** The positions that the mask touches, all ranges together; undefined where they are not known. */
  readonly touched?: Readonly<Record<Measure, Moments>> | undefined;
}

/** The windows of one text. */
export interface TextWindows {
  readonly windows: readonly WindowSummary[];
  /** How much text the scored tokens of each window cover, or why that is not known. */
  readonly sizes: readonly TextSize[] | string;
  /** Behind the last position that is scored in any of them: bins may go on, to edges that all texts share. */
  readonly end: number;
}

/** The moments of a measure by text, and in it by window. */
export type ByText = (measure: Measure) => readonly (readonly Moments[])[];

/**
 * Edges of the ranges of position that a curve shows: 0, the powers of two, the trained length, and `context`.
 *
 * The last power is left out where fewer than half as many positions would follow it: 0, 1, 2, 4, 9 for a context of 9.
 * @param context tokens of a window, at least 1
 * @param trainedTokens an edge where it is below the context: no range is on both sides of it
 */
export function positionBins(context: number, trainedTokens = Infinity): readonly number[] {
  const edges = [0];
  for (let power = 1; power * 1.5 <= context; power *= 2) {
    edges.push(power);
  }
  return trainedTokens < context && !edges.includes(trainedTokens)
    ? [...edges.filter((edge) => edge < trainedTokens), trainedTokens, ...edges.filter((edge) => edge > trainedTokens), context]
    : [...edges, context];
}

/**
 * Sums one window, or a piece of one.
 *
 * @param binEdges as of `positionBins`: bin i holds the positions from `binEdges[i]` to `binEdges[i + 1] - 1`
 * @throws RangeError for a position in no bin, and for one with one loss of the two
 */
export function summariseWindow(positions: Iterable<ScoredPosition>, binEdges: readonly number[]): WindowSummary {
  const bins = binEdges
    .slice(1)
    .map((to, index) => ({ from: binEdges[index], to, ...forMeasures((): GrowingMoments => ({ ...noMoments })) }));
  const divergences: number[] = [];
  const touched = forMeasures((): GrowingMoments => ({ ...noMoments }));
  let isKnown = true;
  for (const scored of positions) {
    const bin = bins.find(({ from, to }) => scored.position >= from && scored.position < to);
    if (bin === undefined) {
      throw new RangeError(`Position ${scored.position} is in none of the bins, which end at ${binEdges[binEdges.length - 1]}.`);
    }
    addPosition(bin, scored);
    divergences.push(scored.divergence);
    isKnown &&= scored.touched !== undefined;
    if (scored.touched === true) {
      addPosition(touched, scored);
    }
  }
  return { bins, divergences: histogramOf(divergences), ...(isKnown && { touched }) };
}

/**
 * The summary of the positions of all `parts`, which share none: the pieces of one window.
 *
 * Counts and the histogram are exact and sums are to rounding, whatever the order. Several windows that are merged count
 * as one window: what their spread says of the errors is lost.
 * @param parts at least one, all of the same bins
 * @throws RangeError for other bins
 */
export function mergeWindows(...parts: readonly WindowSummary[]): WindowSummary {
  const [first] = parts;
  if (
    parts.some(
      ({ bins }) =>
        bins.length !== first.bins.length ||
        bins.some(({ from, to }, index) => from !== first.bins[index].from || to !== first.bins[index].to),
    )
  ) {
    throw new RangeError('Windows of different bins do not merge; sum all with the same edges.');
  }
  const bins = first.bins.map(({ from, to }, index) => ({
    from,
    to,
    ...forMeasures((measure) => mergeMoments(...parts.map((part) => part.bins[index][measure]))),
  }));
  const touched = parts.flatMap((part) => part.touched ?? []);
  return {
    bins,
    divergences: mergeHistograms(...parts.map((part) => part.divergences)),
    ...(touched.length === parts.length && {
      touched: forMeasures((measure) => mergeMoments(...touched.map((part) => part[measure]))),
    }),
  };
}

function addPosition(
  bin: Readonly<Record<Measure, GrowingMoments>>,
  { position, loss, baselineLoss, divergence, agrees }: ScoredPosition,
): void {
  addValue(bin.divergence, divergence);
  addValue(bin.agreement, agrees ? 1 : 0);
  if (loss === undefined || baselineLoss === undefined) {
    if (loss !== baselineLoss) {
      throw new RangeError(`Position ${position} has one loss of the two; give both or neither.`);
    }
    return;
  }
  const probabilityChange = Math.exp(-loss) - Math.exp(-baselineLoss);
  addValue(bin.loss, loss);
  addValue(bin.baselineLoss, baselineLoss);
  addValue(bin.lossChange, loss - baselineLoss);
  addValue(bin.probabilityChange, probabilityChange);
  addValue(bin.squaredProbabilityChange, probabilityChange ** 2);
}

function forMeasures<T>(of: (measure: Measure) => T): Record<Measure, T> {
  return Object.fromEntries(measures.map((measure) => [measure, of(measure)])) as Record<Measure, T>;
}

import type { RetrievalGrid, RetrievalScore } from '../evaluate/retrieval';
import { outcomeText, retrievalScores } from '../evaluate/rows';
import { formatFixed } from '../format';

/** Steps of heat, from 0. */
export const needleLevels = 6;

/** A cell of a view, as it is shown. */
export interface NeedleCell {
  readonly text: string;
  /** Of its heat, from 0 to `needleLevels - 1`; null where there is no number. */
  readonly level: number | null;
  /** Whether the answer was found under the mask, or is not what the mask gives by definition; null in other views. */
  readonly state: 'found' | 'differs' | null;
}

/** Rows of cells as those of a grid; null where there was no case. */
type Cells = readonly (readonly (NeedleCell | null)[])[];

/** Retrieval under the model's own attention, under the mask, and what the mask takes from it. */
export interface NeedleViews {
  /** Log-probability of the answer in nats and worst rank; the hotter, the more probable. */
  readonly own: Cells;
  /** The same with whether it was found, on the same scale. */
  readonly mask: Cells;
  /** Log-probability under the mask less that under the model's own attention; the hotter, the more is lost. */
  readonly difference: Cells;
}

/**
 * The three views of each grid.
 *
 * @param grids of all scenarios, on whose numbers the scales of heat are, so that scenarios can be compared
 */
export function needleViews(grids: readonly RetrievalGrid[]): readonly NeedleViews[] {
  const cases = grids.flatMap(({ rows }) => rows.flatMap(({ cells }) => cells.filter((cell) => cell !== null)));
  const probability = scaleOf(cases.flatMap(({ logProbability, baselineLogProbability }) => [logProbability, baselineLogProbability]));
  const loss = scaleOf([0, ...cases.map((each) => Math.max(0, -gain(each)))]);
  return grids.map(({ rows }) => {
    const cellsBy = (make: (score: RetrievalScore) => NeedleCell): Cells =>
      rows.map(({ cells }) => cells.map((cell) => cell && make(cell)));
    return {
      own: cellsBy((score) => ({ text: retrievalScores(score).baseline, level: probability(score.baselineLogProbability), state: null })),
      mask: cellsBy((score) => ({
        text: `${outcomeText(score)} ${retrievalScores(score).own}`,
        level: probability(score.logProbability),
        state: score.expected !== null && score.expected !== score.measured ? 'differs' : score.measured === 'found' ? 'found' : null,
      })),
      difference: cellsBy((score) => ({ text: gainText(gain(score)), level: loss(Math.max(0, -gain(score))), state: null })),
    };
  });
}

/** What the mask adds to the log-probability of an answer, in nats; NaN where either is not finite. */
function gain({ logProbability, baselineLogProbability }: RetrievalScore): number {
  // JSON makes null of what is not finite.
  return Number.isFinite(logProbability) && Number.isFinite(baselineLogProbability) ? logProbability - baselineLogProbability : NaN;
}

function gainText(nats: number): string {
  const text = formatFixed(nats, 2);
  return Number.isNaN(nats) ? '?' : nats > 0 && text !== '0.00' ? `+${text}` : text;
}

/** Steps of equal size between the least and the largest of the values that are finite. */
function scaleOf(values: readonly number[]): (value: number) => number | null {
  const known = values.filter((value) => Number.isFinite(value));
  const [least, most] = [Math.min(...known), Math.max(...known)];
  return (value) =>
    !Number.isFinite(value)
      ? null
      : most > least
        ? Math.min(needleLevels - 1, Math.floor((needleLevels * (value - least)) / (most - least)))
        : 0;
}

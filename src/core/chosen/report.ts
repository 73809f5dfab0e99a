import { formatCount, formatError, formatNumberOf, formatShare } from '../format';

/** Errors of rows, by how many are below. */
export interface ErrorQuantiles {
  readonly median: number;
  readonly ninetiethPercentile: number;
}

/** What a run read of the tiles that it chose from, and how far its attention is from that over all of them. */
export interface ChoiceReport {
  /** Tiles of a layer, over all its heads: those that were read, those of them that were sampled, and those of causal attention. */
  readonly tiles: number;
  readonly sampled: number;
  readonly causalTiles: number;
  /** How the tiles of each layer were shared among its heads; all counted from 0. */
  readonly heads: readonly { readonly layer: number; readonly head: number; readonly tiles: number; readonly sampled: number }[];
  /** Rows that were compared with causal attention over all keys, in float64, over all layers and heads. */
  readonly rows: number;
  /** Their errors, relative to the exact row, in Euclidean norm. */
  readonly measured: ErrorQuantiles;
  /** The same as the sample itself estimates it, one standard deviation; null where none has a sample with a spread. */
  readonly estimated: (ErrorQuantiles & EstimatedRows) | null;
}

/** Rows whose error the sample estimates. */
interface EstimatedRows {
  readonly rows: number;
  /** Share of them whose error is at most twice what was estimated. */
  readonly within: number;
}

/** The quantiles of errors, of which there is one at least. */
export function quantilesOf(errors: readonly number[]): ErrorQuantiles {
  const ascending = Float64Array.from(errors).sort();
  const at = (share: number): number => ascending[Math.max(0, Math.ceil(share * ascending.length) - 1)];
  return { median: at(0.5), ninetiethPercentile: at(0.9) };
}

/** What a run chose, and what that does to its attention, a sentence each. */
export function choiceLines({ tiles, sampled, causalTiles, heads, rows, measured, estimated }: ChoiceReport): string[] {
  const ofHeads = heads.map((head) => head.tiles);
  const most = (causalTiles * new Set(heads.map(({ layer }) => layer)).size) / heads.length;
  const share = (of: number): string => formatShare(of / most);
  return [
    `${formatCount(tiles)} of ${formatNumberOf(causalTiles, 'tile')} a layer, ${formatCount(sampled)} of them sampled; heads read from ${share(Math.min(...ofHeads))} to ${share(Math.max(...ofHeads))} of theirs`,
    `against causal attention over all tiles, rows are off by ${formatError(measured.median)} of their size (median of ${formatCount(rows)}), nine in ten by at most ${formatError(measured.ninetiethPercentile)}`,
    ...(estimated === null
      ? []
      : [
          `the sample estimates ${formatError(estimated.median)} (median of ${formatCount(estimated.rows)}), nine in ten at most ${formatError(estimated.ninetiethPercentile)}; ${formatShare(estimated.within)} of these rows are within twice their estimate`,
        ]),
  ];
}

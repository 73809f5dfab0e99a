import type { Colour } from '../theme';

/** Outlines of a series' points, one for each series: what a reader who does not see colours goes by. */
export type Shape = 'circle' | 'square' | 'triangle' | 'diamond' | 'cross' | 'star' | 'ring';

/** A point; `low` and `high` are ends of an interval of y. */
export interface LinePoint {
  readonly x: number;
  readonly y: number;
  readonly low?: number;
  readonly high?: number;
}

/** A line through points, or points alone. */
export interface LineSeries {
  readonly label: string;
  readonly points: readonly LinePoint[];
  readonly colour: Colour;
  /** Null leaves points out. */
  readonly shape: Shape | null;
  /** `steps` hold a value up to the next point. */
  readonly line: 'solid' | 'dashed' | 'steps' | 'none';
  /** Drawn heavier than the others. */
  readonly emphasised?: boolean;
  /** What the tooltip says at each point in place of the label and y; nothing where it is empty. */
  readonly notes?: readonly string[];
}

/** An axis. On one of powers of two, and on a logarithmic one, everything is above 0. */
export interface AxisModel {
  readonly title: string;
  readonly scale: 'linear' | 'logarithmic' | 'powers of two';
  /** Numbers at the axis. */
  readonly format: (value: number) => string;
  /** Numbers in tooltips, where they are written in full. */
  readonly formatFull?: (value: number) => string;
  /** Linear axes only: where they begin, if not where the points do. */
  readonly from?: number;
  /** Labels are of whole numbers only. */
  readonly whole?: boolean;
}

/** What a line chart shows. */
export interface LineModel {
  /** The chart in words, for those who do not see it. */
  readonly description: string;
  readonly x: AxisModel;
  readonly y: AxisModel;
  readonly series: readonly LineSeries[];
  /** A place on x that stands out, with what it is. */
  readonly mark: { readonly x: number; readonly label: string } | null;
}

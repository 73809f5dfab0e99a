import { z } from 'zod';
import { measures, type Measure, type WindowSummary } from '../../core/evaluate/statistics';
import type { Moments } from '../../core/evaluation/moments';

const count = z.int().nonnegative();

const moments: z.ZodType<Moments> = z.object({ count, sum: z.number(), squares: z.number(), infinite: count, invalid: count });

const windowSummary: z.ZodType<WindowSummary> = z.object({
  bins: z.array(
    z.object({
      from: count,
      to: count,
      ...(Object.fromEntries(measures.map((measure) => [measure, moments])) as Record<Measure, typeof moments>),
    }),
  ),
  divergences: z
    .object({ zeros: count, buckets: z.array(z.tuple([z.int(), count])), infinite: count, invalid: count, maximum: z.number().optional() })
    // JSON leaves out what is undefined.
    .transform((histogram) => ({ ...histogram, maximum: histogram.maximum })),
});

/** A window under a scenario, as a results file keeps it. */
export interface WindowResult {
  readonly summary: WindowSummary;
  readonly wallMs: number;
  readonly calls: number;
}

export const windowResult: z.ZodType<WindowResult> = z.object({ summary: windowSummary, wallMs: z.number().nonnegative(), calls: count });

/** A needle's answer under one scenario, as a results file keeps it. JSON has no NaN: null stands for it. */
export interface NeedleResult {
  /** Natural logarithm. */
  readonly logProbability: number | null;
  /** From 1. */
  readonly rank: number | null;
}

export const needleResult: z.ZodType<NeedleResult> = z.object({ logProbability: z.number().nullable(), rank: z.number().nullable() });

import * as z from 'zod';
import type { Atlas } from '../../../core/atlas/atlas';
import type { TokenCurves } from '../../../core/atlas/by-token';
import { keptShares } from '../../../core/atlas/oracle-curve';
import { amount, anyNumber, scenarioSchema } from './plan-schema';

/** Cells of a side, and heads, that a file may have at most: a picture has to be drawn of them. */
const [mostSide, mostHeads] = [4096, 65_536];

const count = z.int().nonnegative();

/** A list of numbers, looked at in one go: an atlas has up to a million of them, and a schema for each would take seconds. */
const shares = z
  .custom<readonly unknown[]>((value) => Array.isArray(value), 'is no list of numbers')
  .transform((values, context): readonly number[] => {
    if (values.every((value): value is number => typeof value === 'number')) {
      return values;
    }
    // Those that are not finite are words.
    const read = z.array(anyNumber).safeParse(values);
    read.error?.issues.forEach((issue) => context.addIssue({ ...issue, code: 'custom' }));
    return read.data ?? z.NEVER;
  });
const someShares = shares.refine((values) => values.length > 0, 'has no number');

const curve = {
  tiles: amount,
  calls: amount,
  kept: z
    .array(
      z.looseObject({ share: z.union(keptShares.map((share) => z.literal(share))), eachBlock: amount, calls: amount, together: amount }),
    )
    .length(keptShares.length),
};

/** Where a run's attention went, as `atlas --json` prints it. */
export const atlasSchema: z.ZodType<Atlas> = z
  .looseObject({
    cells: z.looseObject({ side: z.int().min(1).max(mostSide), blocks: z.int().min(1) }),
    heads: z
      .array(
        z.looseObject({
          layer: count,
          head: count,
          mass: shares,
          entropy: anyNumber,
          firstTile: anyNumber.nullable(),
          firstToken: anyNumber.nullable(),
          learnedSink: anyNumber.nullable(),
          byDistance: someShares,
          tiles: amount,
          fewest: z.array(amount).length(keptShares.length),
          cut: z.looseObject({ share: anyNumber, mass: shares }).nullable(),
        }),
      )
      .min(1)
      .max(mostHeads),
    layers: z.array(z.looseObject({ layer: count, ...curve })).min(1),
    oracle: z.looseObject(curve),
    cut: z.looseObject({ scenario: scenarioSchema, share: anyNumber }).nullable(),
    massError: anyNumber,
  })
  .refine(
    ({ cells: { side }, heads }) => heads.every(({ mass, cut }) => [mass, cut?.mass ?? mass].every(({ length }) => length === side ** 2)),
    {
      path: ['heads'],
      error: 'have other masses than their cells',
    },
  )
  .refine(
    ({ heads, layers }) =>
      heads.length % layers.length === 0 &&
      layers.every(({ layer }, index) => layer === index) &&
      heads.every(({ layer, head }, index) => layer * (heads.length / layers.length) + head === index),
    { path: ['heads'], error: 'are not those of the layers, one after another' },
  );

/** Losses token by token. */
export const tokenCurvesSchema: z.ZodType<TokenCurves> = z.looseObject({
  stretch: z.int().min(1),
  loss: shares,
  maskedLoss: shares.nullable(),
  divergence: shares.nullable(),
});

import * as z from 'zod';
import { wordsOf } from '../../../core/options/option';
import { optionTable } from '../../../core/options/table';
import type { Fidelity } from '../../../core/report/report';
import type { Verdict } from '../../../core/report/verdict';
import { amount, anyNumber, measured } from './plan-schema';

/** An error: of reports of earlier versions also null, which stands for one that is not finite. */
const error = measured;

const rowRange = z.looseObject({ from: amount, to: amount });

const counted = z.looseObject({ asked: amount, compared: amount });

/** What was found of a run's fidelity. */
export const fidelitySchema: z.ZodType<Fidelity> = z.looseObject({
  reference: z.string(),
  rows: amount,
  maxAbsError: error,
  maxRelError: error,
  logNormaliserError: error,
  rounding: z.looseObject({ error: anyNumber, bound: anyNumber, largestBound: anyNumber }).optional(),
  // What earlier versions did not check is null.
  seed: amount.nullable().default(null),
  wrongRows: z
    .array(z.looseObject({ layer: amount, head: amount, row: amount }))
    .nullable()
    .default(null),
  probe: z
    .looseObject({ rows: amount, maxAbsError: error, maxRelError: error, logNormaliserError: error, wrongRows: z.array(rowRange) })
    .nullable()
    .default(null),
  lostRows: amount.optional(),
  wrongHalos: z.array(z.looseObject({ layer: amount, row: amount })).optional(),
  wrongChoices: z.array(z.looseObject({ layer: amount, reason: z.string() })).optional(),
  tokenwise: z
    .looseObject({
      layers: amount,
      maxRelError: anyNumber,
      bound: anyNumber,
      activations: z.enum(wordsOf(optionTable.activations)).optional(),
      wrongRows: z.array(z.looseObject({ layer: amount, row: amount })),
    })
    .optional(),
  prediction: z.looseObject({ position: amount, error: anyNumber, bound: anyNumber, largestBound: anyNumber }).optional(),
  coverage: z
    .looseObject({
      layers: counted,
      heads: counted,
      blocks: counted,
      rows: counted,
      probes: counted,
      probeRows: counted,
      tokenwise: counted.optional(),
      halos: counted.optional(),
      predictions: counted.optional(),
      steps: counted.optional(),
    })
    .optional(),
});

/** A verdict as a report has it. */
export const verdictSchema: z.ZodType<Verdict> = z.looseObject({
  kind: z.enum(['exact', 'within', 'failed', 'vacuous']),
  bound: anyNumber.nullable(),
  measured: anyNumber.nullable(),
  reason: z.string(),
});

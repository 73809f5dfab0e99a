import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mixInto } from '../../../src/engine/attend/graphs/experts';
import { GraphBuilder } from '../../../src/engine/attend/onnx/graph-builder';
import { openDevice } from '../../../src/engine/attend/runtime/provider';
import { GraphSession } from '../../../src/engine/attend/runtime/session';
import type { ExpertChoice } from '../../../src/engine/read/model/architecture';

interface Mixed {
  readonly out: readonly number[];
  /** The rows that each expert's network got. */
  readonly rows: readonly (readonly number[])[];
}

/** A mixture of experts of which the one with number e makes `(e + 1) x`; tokens have one column, their number from 1. */
async function mixed(choice: ExpertChoice, logits: readonly (readonly number[])[]): Promise<Mixed> {
  const [tokens, experts] = [logits.length, logits[0].length];
  const g = new GraphBuilder('mixture');
  const networks = Array.from({ length: experts }, (_, expert) => (rows: ReturnType<typeof g.scalar>) => {
    g.output(`rows${expert}`, rows, ['any', 1]);
    return g.multiply(rows, g.scalar(expert + 1));
  });
  const out = mixInto(g, choice, 1, g.input('x', ['rows', 1]), g.input('logits', ['rows', experts]), networks);
  g.output('out', out, ['rows', 1]);
  const session = await GraphSession.create(g.build(), await openDevice('cpu', 1));
  const result = await session.run({
    x: { data: Float32Array.from(logits, (_, token) => token + 1), shape: [tokens, 1] },
    logits: { data: Float32Array.from(logits.flat()), shape: [tokens, experts] },
  });
  await session.release();
  return { out: [...result.out], rows: networks.map((_, expert) => [...result[`rows${expert}`]]) };
}

/** The same from the definition, in float64: the chosen experts of a token, and what they make of it. */
function expected({ chosen, weights }: ExpertChoice, logits: readonly (readonly number[])[]): Mixed {
  const choices = logits.map((row) =>
    row
      .map((_, expert) => expert)
      .sort((a, b) => row[b] - row[a] || a - b)
      .slice(0, chosen),
  );
  const out = logits.map((row, token) => {
    const among = weights === 'of-all' ? row.map((_, expert) => expert) : choices[token];
    const total = among.reduce((sum, expert) => sum + Math.exp(row[expert]), 0);
    return choices[token].reduce((sum, expert) => sum + (Math.exp(row[expert]) / total) * (expert + 1) * (token + 1), 0);
  });
  const rows = logits[0].map((_, expert) => choices.flatMap((own, token) => (own.includes(expert) ? [token + 1] : [])));
  return { out, rows };
}

/** Few different logits, so that many are equal. */
const cases = fc.record({ tokens: fc.integer({ min: 1, max: 12 }), experts: fc.integer({ min: 1, max: 6 }) }).chain(({ tokens, experts }) =>
  fc.record({
    chosen: fc.integer({ min: 1, max: experts }),
    weights: fc.constantFrom('of-chosen', 'of-all'),
    logits: fc.array(fc.array(fc.integer({ min: -3, max: 3 }), { minLength: experts, maxLength: experts }), {
      minLength: tokens,
      maxLength: tokens,
    }),
  }),
);

describe('a mixture of experts', () => {
  it('sends each token through those that it chose, and no other network', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async ({ chosen, weights, logits }) => {
        const choice = { chosen, weights } as const;
        const [found, right] = [await mixed(choice, logits), expected(choice, logits)];
        found.out.forEach((value, token) => expect(value).toBeCloseTo(right.out[token], 4));
        expect(found.rows).toEqual(right.rows);
      }),
      { numRuns: 60 },
    );
  });

  it('gives the same where every token goes through every expert', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async ({ chosen, weights, logits }) => {
        const found = await mixed({ chosen, weights, everyToken: true }, logits);
        const right = expected({ chosen, weights }, logits);
        found.out.forEach((value, token) => expect(value).toBeCloseTo(right.out[token], 4));
        expect(found.rows).toEqual(logits[0].map(() => logits.map((_, token) => token + 1)));
      }),
      { numRuns: 60 },
    );
  });
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assignedChunks, assignments, contextParallelSchedule } from '../../../src/core/plan/context-parallel';
import { openModel } from '../../../src/engine/read/model/load';
import { contextParallel } from '../../bench/context-parallel';
import { table } from '../../bench/markdown';
import { modelsFolder, root } from '../../support/paths';

const model = { layers: 4, heads: 8, keyValueHeads: 2, headWidth: 16, width: 128, feedForwardWidth: 256, vocabulary: 100 };
const fast = { model, flopsPerSecond: 1e9, bytesPerSecond: 1e18, latency: 0, bytesPerElement: 4 };

const requests = fc.record({
  tokens: fc.integer({ min: 64, max: 5000 }),
  workers: fc.integer({ min: 1, max: 9 }),
  assignment: fc.constantFrom(...assignments),
  bytesPerSecond: fc.constantFrom(1e4, 1e6, 1e8),
  latency: fc.constantFrom(0, 0.01),
});

describe('a causal prompt over several workers', () => {
  it('is cut so that every token is on one worker', () => {
    fc.assert(
      fc.property(requests, (request) => {
        const chunks = assignedChunks(request).flat();
        expect(chunks.reduce((sum, { tokens }) => sum + tokens, 0)).toBe(request.tokens);
        expect(chunks.map(({ index }) => index).sort((a, b) => a - b)).toEqual(chunks.map((_, index) => index));
      }),
    );
  });

  it('takes P times less under zig-zag where links are no limit, and as long as its last worker where chunks are in order', () => {
    const one = contextParallelSchedule({ ...fast, tokens: 4096, workers: 1, assignment: 'contiguous' });
    expect(one).toMatchObject({ busy: 1, received: 0 });
    expect(one.secondsAlone).toBeCloseTo(one.seconds, 9);
    const zigZag = contextParallelSchedule({ ...fast, tokens: 4096, workers: 8, assignment: 'zig-zag' });
    expect(zigZag.secondsAlone / zigZag.seconds).toBeCloseTo(8, 6);
    const inOrder = contextParallelSchedule({ ...fast, tokens: 4096, workers: 8, assignment: 'contiguous' });
    // The last of 8 has 15/64 of the pairs, and an eighth of the rest.
    const flops = { pairs: 4 * 16 * 8 * 4096 ** 2 * 0.5, rest: 2 * 4096 * (128 * 16 * 12 + 128 * 128 + 3 * 128 * 256) };
    expect(inOrder.seconds).toBeGreaterThan((4 * ((flops.pairs * 15) / 64 + flops.rest / 8)) / 1e9);
    expect(inOrder.seconds).toBeLessThan(1.02 * ((4 * ((flops.pairs * 15) / 64 + flops.rest / 8)) / 1e9));
  });

  it('is never faster than its work or its bytes allow, and never slower by a faster link', () => {
    fc.assert(
      fc.property(requests, (request) => {
        const own = { ...fast, ...request };
        const { seconds, secondsAlone, busy, received } = contextParallelSchedule(own);
        expect(seconds).toBeGreaterThanOrEqual((1 - 1e-9) * Math.max(secondsAlone / request.workers, received / request.bytesPerSecond));
        expect(busy).toBeLessThanOrEqual(1 + 1e-9);
        const faster = contextParallelSchedule({ ...own, bytesPerSecond: 10 * request.bytesPerSecond });
        expect(faster.seconds).toBeLessThanOrEqual(seconds * (1 + 1e-9));
        expect(faster.received).toBe(received);
      }),
    );
  });

  it('sends each worker the keys and values before its last chunk that are not its own', () => {
    const { received } = contextParallelSchedule({ ...fast, tokens: 1600, workers: 8, assignment: 'zig-zag' });
    // Worker 0 holds the first and the last of 16 chunks of 100 tokens.
    expect(received).toBe(4 * 14 * 100 * 2 * 2 * 16 * 4);
  });

  it('takes what the document says', async () => {
    const { shape } = (await openModel('llama-3.1-8b', modelsFolder)).config;
    const { columns, rows } = contextParallel(shape);
    expect(readFileSync(join(root, 'docs', 'fleet', 'causal.md'), 'utf8')).toContain(table(columns, rows));
  });
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { messageShown, setTranslations } from '../../../src/core/l10n';
import { defaultOptions } from '../../../src/core/options/table';
import { makePlan, type Plan } from '../../../src/core/plan/plan';
import {
  expectedMemory,
  expectedProcessBytes,
  fitsIn,
  leastLimit,
  memoryDetail,
  memoryOf,
  memoryParts,
  type MemoryUse,
  memoryUseOf,
} from '../../../src/core/predict/memory';
import { memoryRefusal } from '../../../src/core/predict/memory-fix';
import { makeScenario } from '../../../src/core/scenario/scenario';
import { parameterCount } from '../../../src/core/shapes';
import { settings } from '../../support/arbitrary';
import { root } from '../../support/paths';
import { planOf } from '../../support/shapes';

const use = { executor: 'tiles', verify: 'rows', scored: true, processBytes: 100 * 1024 ** 2 } as const;
const window = makeScenario('sliding-window', { window: 64 });

/** The plan of a prompt under a window. */
function planned(tokens: number, blockSize: number): Plan {
  return planOf({ tokens, blockSize, scenario: window });
}

describe('the memory of a run', () => {
  it('is the sum of its parts, of which none is negative and the weights are in float32', () => {
    fc.assert(
      fc.property(settings, fc.constantFrom('rows', 'dense', 'none'), fc.boolean(), (setting, verify, scored) => {
        const plan = planOf(setting);
        const memory = memoryOf(plan, { ...use, verify, scored });
        expect(memoryParts.reduce((sum, part) => sum + memory[part], 0)).toBeCloseTo(memory.peak, 3);
        memoryParts.forEach((part) => expect(memory[part]).toBeGreaterThanOrEqual(0));
        expect(memory.weights).toBeGreaterThan(4 * parameterCount(plan.model));
        expect(memory.process).toBe(use.processBytes);
      }),
      { numRuns: 100 },
    );
  });

  it('grows with the prompt, the block, and what is kept, checked and compared', () => {
    const peak = (plan: Plan, own: Partial<Parameters<typeof memoryOf>[1]> = {}): number => memoryOf(plan, { ...use, ...own }).peak;
    const plan = planned(4000, 256);
    expect(peak(planned(8000, 256))).toBeGreaterThan(peak(plan));
    expect(peak(planned(4000, 1024))).toBeGreaterThan(peak(plan));
    expect(peak(plan, { kept: 12_345 })).toBe(peak(plan) + 12_345);
    expect(peak(plan, { scored: false })).toBeLessThan(peak(plan));
    expect(peak(plan, { verify: 'none' })).toBeLessThan(peak(plan));
    expect(peak(plan, { baseline: 'dense' })).toBeGreaterThan(peak(plan));
    expect(peak(plan, { executor: 'compiled' })).not.toBe(peak(plan));
  });

  it('counts of a dense baseline the rows that there are, and of a black box that its calls are repeated', () => {
    const short = planned(200, 64);
    const dense = memoryOf(short, { ...use, baseline: 'dense' });
    expect(dense.quality).toBeLessThan(2 * memoryOf(short, use).quality);
    const oracle = { ...short.oracle, inputLength: 100 };
    const runOf = (construction: Plan['construction']): number => memoryOf(makePlan({ ...short, oracle, construction }), use).run;
    // Three sessions of whole batches against one, and one of a call.
    expect(runOf('paper')).toBeGreaterThan(1.5 * runOf('tight'));
  });

  it('has no quality where nothing is compared, and goes by the device where the options name none', () => {
    const full = makePlan({ ...planned(300, 64), scenario: makeScenario('full') });
    expect(expectedMemory(full, defaultOptions, undefined)).toMatchObject({ quality: 0, process: expectedProcessBytes(undefined) });
    const uses = (['cpu', 'webgpu'] as const).map((provider) => memoryUseOf(full, defaultOptions, { provider, processBytes: 1 }).executor);
    expect(uses).toEqual(['tiles', 'compiled']);
  });

  it('names its parts, those that there are', () => {
    expect(memoryDetail({ process: 1024 ** 2, weights: 2 * 1024 ** 2, run: 3 * 1024 ** 2, verify: 0, quality: 0 })).toBe(
      'process 1.00 MiB + weights 2.00 MiB + layers 3.00 MiB',
    );
  });
});

describe('refusing a run for its memory', () => {
  const refusal = (plan: Plan, allowed: number, own: Partial<Parameters<typeof memoryOf>[1]> = {}): string => {
    const whole = { ...use, ...own };
    return memoryRefusal(plan, whole, memoryOf(plan, whole), allowed).message;
  };
  const limitOf = (plan: Plan, own: Partial<MemoryUse> = {}): number => leastLimit(memoryOf(plan, { ...use, ...own }));

  it('names the largest block that fits, and options of which one is enough', () => {
    const plan = planned(4000, 2048);
    const message = refusal(plan, limitOf(planned(4000, 512)), { verify: 'dense' });
    expect(message).toMatch(/; use --block \d+\b/);
    expect(refusal(plan, limitOf(plan, { verify: 'dense', scored: false }), { verify: 'dense' })).toMatch(/or --no-quality\.$/);
    expect(refusal(plan, limitOf(plan, { baseline: 'own' }), { baseline: 'dense' })).toMatch(/no --baseline dense\.$/);
  });

  it('says how much there must be where nothing fits', () => {
    const plan = planned(4000, 16);
    const message = refusal(plan, 1);
    expect(message).toMatch(/; no run of this model fits, however short the prompt: at least [\d.]+ MiB must be free/);
    expect(limitOf(planned(1, 16), { verify: 'none', scored: false })).toBeGreaterThan(memoryOf(planned(1, 16), use).process);
  });

  it('names more shards where it is of one, whose length is not the prompt', () => {
    const planOf = (parts: number): Plan => planned(Math.ceil(64_000 / parts) + 378, 64);
    const plan = planOf(2);
    const of = (allowed: number, own: Partial<MemoryUse> = {}): string => {
      const whole = { ...use, ...own };
      return memoryRefusal(plan, whole, memoryOf(plan, whole), allowed, { shards: { parts: 2, planOf } }).message;
    };
    expect(of(limitOf(planOf(8)))).toMatch(/over the 32,378 tokens that a shard reads needs about .*; use 8 shards\b/);
    expect(of(limitOf(planOf(9000), { verify: 'none', scored: false }))).toMatch(/; use --no-quality and --verify none and \d+ shards\.$/);
    expect(of(1)).toMatch(/; no run of this model fits, however short the prompt/);
  });

  it('names the window that a shard needs where no number of shards fits, since each reads too much around its own', () => {
    const planOf = (parts: number): Plan => planned(Math.ceil(64_000 / parts) + 20_000, 64);
    const alone = { verify: 'none', scored: false } as const;
    const [plan, allowed] = [planOf(2), limitOf(planned(10_000, 64), alone)];
    const { message } = memoryRefusal(plan, use, memoryOf(plan, use), allowed, { shards: { parts: 2, planOf } });
    const [, least, most] =
      /, ([\d,]+) tokens at least: use .* and a window with which it reads no more than ([\d,]+)\.$/.exec(message) ?? [];
    expect(least).toBe('20,008');
    const tokens = Number(most.replaceAll(',', ''));
    expect(fitsIn(memoryOf(planned(tokens, 64), { ...use, ...alone }), allowed)).toBe(true);
    expect(tokens).toBeGreaterThan(9_800);
  });

  it('cuts the prompt to the longest that fits, to 1%, and names the flags of the command', () => {
    const plan = planned(30_000, 16);
    const alone = { verify: 'none', scored: false } as const;
    for (const tokens of [3, 77, 3_100, 14_900, 29_000]) {
      const allowed = limitOf(planned(tokens, 16), alone);
      const length = Number(
        /cut the prompt with --max-tokens (\d+) and --no-quality and --verify none\.$/.exec(refusal(plan, allowed))?.[1],
      );
      expect(fitsIn(memoryOf(planned(length, 16), { ...use, ...alone }), allowed)).toBe(true);
      expect(length).toBeGreaterThanOrEqual(Math.floor(0.985 * tokens));
    }
    const whole = { length: '--context', whole: true } as const;
    const { message } = memoryRefusal(plan, use, memoryOf(plan, use), limitOf(planned(5_000, 16)), whole);
    expect(message).toMatch(/; no block size fits: use --context \d+\.$/);
    expect(memoryRefusal(plan, use, memoryOf(plan, use), 1, whole).message).toMatch(/at least [\d.]+ MiB must be free\.$/);
  });

  it('names only what fits, whatever the options', () => {
    fc.assert(
      fc.property(
        fc.record({
          tokens: fc.integer({ min: 1, max: 3000 }),
          block: fc.constantFrom(16, 64, 256, 2048),
          verify: fc.constantFrom('rows', 'dense', 'none'),
          scored: fc.boolean(),
          baseline: fc.constantFrom('own', 'dense'),
          share: fc.double({ min: 0.3, max: 0.999, noNaN: true }),
        }),
        ({ tokens, block, verify, scored, baseline, share }) => {
          const plan = planned(tokens, block);
          const own = { verify, scored, ...(scored && { baseline }) };
          const allowed = Math.floor(limitOf(plan, own) * share);
          fc.pre(!fitsIn(memoryOf(plan, { ...use, ...own }), allowed));
          const [, fix] = /; (.*)\.$/.exec(refusal(plan, allowed, own)) ?? [];
          if (fix.startsWith('no run')) {
            expect(limitOf(planned(1, block), { verify: 'none', scored: false })).toBeGreaterThan(allowed);
            return;
          }
          for (const way of fix.split(', or ')) {
            const length = Number(/--max-tokens (\d+)/.exec(way)?.[1] ?? tokens);
            const size = Number(/--block (\d+)/.exec(way)?.[1] ?? block);
            const named: MemoryUse = {
              ...use,
              ...own,
              verify: way.includes('--verify none') ? 'none' : way.includes('--verify rows') ? 'rows' : verify,
              scored: scored && !way.includes('--no-quality'),
              ...(way.includes('no --baseline dense') && { baseline: 'own' as const }),
            };
            expect(fitsIn(memoryOf(planned(length, size), named), allowed)).toBe(true);
          }
        },
      ),
      { numRuns: 100 },
    );
  });

  it('says every fix in German, whatever it is put together of', () => {
    onTestFinished(() => setTranslations(undefined));
    setTranslations(JSON.parse(readFileSync(join(root, 'l10n', 'bundle.l10n.de.json'), 'utf8')));
    const shardOf = (parts: number): Plan => planned(Math.ceil(64_000 / parts) + 378, 64);
    const left = new Set<string>();
    for (const own of [{}, { baseline: 'dense' }, { verify: 'none' }, { verify: 'dense' }, { scored: false }] as const) {
      for (const smaller of [{}, { whole: true }, { length: '--context' }, { shards: { parts: 2, planOf: shardOf } }] as const) {
        for (const plan of [planned(4000, 2000), shardOf(2)]) {
          const whole: MemoryUse = { ...use, ...own };
          const needed = leastLimit(memoryOf(plan, whole));
          for (const share of [0.0001, 0.5, 0.9]) {
            const [, fix = ''] = messageShown(memoryRefusal(plan, whole, memoryOf(plan, whole), share * needed, smaller).message).split(
              '; ',
            );
            if (/\b(use|or|and|with|shards)\b/.test(fix)) {
              left.add(fix);
            }
          }
        }
      }
    }
    expect([...left]).toEqual([]);
  });
});

import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { CallCounter } from '../../../src/engine/attend/black-box/black-box';
import { PhaseClock } from '../../../src/engine/attend/runtime/clock';
import { type Device, openDevice } from '../../../src/engine/attend/runtime/provider';
import { settings } from '../../support/arbitrary';
import { CompiledAttention } from '../../support/compiled-attention';
import { alignedLayer, errorsOf, randomLayer, withCap } from '../../support/layers';
import { planOf, smallModel } from '../../support/shapes';

/** Small transformers that carry one instance a call, or several. Six of them do not divide the heads. */
const oracles = fc.record({ layers: fc.integer({ min: 1, max: 3 }), heads: fc.integer({ min: 1, max: 2 }) });

/** What scores are bent to at most: nothing, or less than many of them. */
const caps = fc.constantFrom(undefined, 3);

describe('attention compiled into one graph', () => {
  let device: Device;
  beforeAll(async () => {
    device = await openDevice('cpu', 1);
  });

  it('is exact to float32 under every mask, and makes exactly the planned calls', async () => {
    await fc.assert(
      fc.asyncProperty(settings, oracles, caps, fc.boolean(), fc.integer(), async (setting, oracle, cap, extreme, seed) => {
        const plain = planOf(setting, oracle);
        const plan = cap === undefined ? plain : { ...plain, model: { ...plain.model, scoreCap: cap } };
        const calls: CallCounter = { attention: 0, tokenwise: 0, retries: 0, dispatches: 0 };
        const attention = await CompiledAttention.create(plan, device, calls, new PhaseClock(), () => undefined);
        try {
          const layer = extreme ? alignedLayer(setting.tokens, smallModel, seed, 80) : randomLayer(setting.tokens, smallModel, seed, 1);
          const worst = await errorsOf(plan, withCap(layer, cap), attention);
          expect(worst.out).toBeLessThan(1e-4);
          expect(worst.logNormaliser).toBeLessThan(1e-4);
          expect(calls.attention * plan.model.layers).toBe(plan.calls.attention);
        } finally {
          await attention.release();
        }
      }),
      { numRuns: 60 },
    );
  });

  it('computes products in float16 where that is asked for, and merges in float32', async () => {
    const plan = planOf({ tokens: 60, blockSize: 16, scenario: { kind: 'causal' } });
    const calls: CallCounter = { attention: 0, tokenwise: 0, retries: 0, dispatches: 0 };
    const attention = await CompiledAttention.create(plan, device, calls, new PhaseClock(), () => undefined, 'float16');
    try {
      const worst = await errorsOf(plan, randomLayer(60, smallModel, 3, 2), attention);
      // Half precision has eleven bits; this CPU may keep more.
      expect(worst.out).toBeLessThan(1e-2);
      expect(worst.logNormaliser).toBeLessThan(1e-2);
    } finally {
      await attention.release();
    }
  });
});

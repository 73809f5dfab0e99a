import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packVerdict } from '../../../src/core/pack/report';
import { openDevice } from '../../../src/engine/attend/runtime/provider';
import { rowsView } from '../../../src/engine/attend/tiles/layer';
import { PackCheck } from '../../../src/engine/tasks/pack/check';
import { packLayout } from '../../../src/engine/tasks/pack/layout';
import { attendPacked, type AttentionKernel, OnnxKernel, type PackedLayer } from '../../../src/engine/tasks/pack/packed-attention';
import { randomLayer } from '../../support/layers';
import { smallModel } from '../../support/shapes';

let kernel: OnnxKernel;
beforeAll(async () => {
  kernel = new OnnxKernel(await openDevice('cpu', 1), false);
});
afterAll(() => kernel.release());

const none = { maxAbsError: 0, maxRelError: 0 };

describe('the verdict on a pack', () => {
  it.each<[string, (given: PackedLayer) => PackedLayer, RegExp]>([
    [
      'weights of a row that do not add up to 1',
      (given) => given,
      /^A row is off by 1\.0e\+0 of the largest value, beyond float32 rounding/,
    ],
    ['a wrong row', ({ out, ...rest }) => ({ ...rest, out: { ...out, data: out.data.map((x) => 1.001 * x) } }), /beyond float32 rounding/],
    [
      'a leak',
      (given) => ({ ...given, leak: 1e-9 }),
      /^Keys of other prompts have a weight of up to 1\.0e-9 in a row, and may have none\.$/,
    ],
  ])('fails at %s', async (fault, change, reason) => {
    const layout = packLayout([3, 2, 4]);
    const layer = randomLayer(9, smallModel, 3, 1);
    // Only in the separation columns: what is compared with float64 stays right.
    const zeros: AttentionKernel = {
      attend: async (operands) => {
        const given = await kernel.attend(operands);
        rowsView(given, 0, 4, 5).fill(0, smallModel.headWidth);
        return given;
      },
    };
    const check = new PackCheck(layout, 'full', new AbortController().signal);
    await check.inspect(layer, change(await attendPacked(layer, layout, fault.startsWith('weights') ? zeros : kernel)));
    const verdict = packVerdict({ fidelity: check.result({ ...smallModel, layers: 1 }), difference: none, prompts: [] }, false);
    expect(verdict).toMatchObject({ kind: 'failed', reason: expect.stringMatching(reason) as string });
  });

  it('fails where a layer was not looked at, or a result is not that of the prompt alone', async () => {
    const layout = packLayout([3, 2]);
    const layer = randomLayer(5, smallModel, 3, 1);
    const check = new PackCheck(layout, 'full', new AbortController().signal);
    await check.inspect(layer, await attendPacked(layer, layout, kernel));
    const missing = packVerdict({ fidelity: check.result({ ...smallModel, layers: 2 }), difference: none, prompts: [] }, false);
    expect(missing).toMatchObject({ kind: 'failed', reason: 'The check did not look at 1 of 2 layers.' });
    const fidelity = check.result({ ...smallModel, layers: 1 });
    const apart = { maxAbsError: 1, maxRelError: 0.1 };
    expect(packVerdict({ fidelity, difference: apart, prompts: [] }, false).reason).toMatch(
      /differs from that of its prompt alone by 1\.0e-1/,
    );
    // What overflows packed overflows alone as well.
    expect(packVerdict({ fidelity: { ...fidelity, lostRows: 2 }, difference: none, prompts: [] }, false).kind).toBe('failed');
    const lost = { path: 'a', tokens: 3, notes: [], ...none, loss: { packed: NaN, separate: NaN } };
    expect(packVerdict({ fidelity, difference: none, prompts: [lost] }, false).kind).toBe('failed');
    // A router may send two roundings of a token to different experts.
    expect(packVerdict({ fidelity, difference: apart, prompts: [] }, true).kind).toBe('exact');
  });
});

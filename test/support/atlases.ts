import type { Atlas, HeadAtlas } from '../../src/core/atlas/atlas';
import { AtlasGatherer } from '../../src/core/atlas/gatherer';
import type { TokenCurves } from '../../src/core/atlas/by-token';
import { makePlan } from '../../src/core/plan/plan';
import { planRequest } from '../../src/core/plan/request';
import { defaultOptions } from '../../src/core/options/table';
import { makeScenario } from '../../src/core/scenario/scenario';
import type { LabAtlas } from '../../src/protocol/lab';
import { smallModel } from './shapes';

/** Tokens of a block in the atlases here. */
export const atlasBlock = 16;

/**
 * An atlas as the engine gathers it, of made-up masses: each query block gives `own` to itself, and shares the rest evenly among the
 * blocks before it. A window of one block cuts those off.
 *
 * @param tokens N @param own by layer and head
 */
export function atlasOf(tokens: number, own: (layer: number, head: number) => number): LabAtlas {
  const options = { ...defaultOptions, scenario: makeScenario('causal'), blockSize: atlasBlock };
  const plan = makePlan(planRequest(tokens, smallModel, options));
  const { layers, heads } = plan.model;
  const cut = { scenario: makeScenario('sliding-window', { window: atlasBlock }), hides: Array.from({ length: layers }, () => true) };
  const gatherer = new AtlasGatherer(
    plan,
    cut,
    Array.from({ length: layers }, () => false),
  );
  for (let layer = 0; layer < layers; layer += 1) {
    for (let head = 0; head < heads; head += 1) {
      for (let block = 0; block < plan.blocks; block += 1) {
        const share = block === 0 ? 1 : own(layer, head);
        const keyBlocks = Array.from({ length: block + 1 }, (_, index) => index);
        gatherer.add(layer, head, block, { keyBlocks, masses: keyBlocks.map((each) => (each === block ? share : (1 - share) / block)) });
        gatherer.addShown(layer, head, block, { keyBlocks: [block], masses: [share] });
      }
      gatherer.addFirstToken(layer, head, 0.25, 1);
    }
  }
  const atlas = gatherer.result();
  const { blockSize, blocks } = plan;
  return { atlas, byToken: curves(tokens), partition: { tokens, blockSize, blocks }, cut: atlas.cut, current: true };
}

/** The head of an atlas. */
export function headOf({ heads }: Atlas, layer: number, head: number): HeadAtlas {
  return heads.filter((each) => each.layer === layer && each.head === head)[0];
}

/** Curves that grow along the prompt: token `i` has a divergence of `i / N`. */
function curves(tokens: number): TokenCurves {
  const values = Array.from({ length: tokens - 1 }, (_, index) => (index + 1) / tokens);
  return { stretch: 1, loss: values.map(() => 2), maskedLoss: values.map((value) => 2 + value), divergence: values };
}

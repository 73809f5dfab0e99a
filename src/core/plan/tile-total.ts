import { isSampled, maskOf, type BandedMask, type LayerScenario } from '../scenario/scenario';
import { blockEnd, blockStart, partition, type Partition } from './partition';
import { tileCount, tileRuns } from './tiles';

/**
 * Tiles of one head of one layer, as `planLayers` counts them, without a list of them: a million tokens in microseconds.
 *
 * Away from both ends of the sequence every banded mask is a band that moves along with the query, perhaps with a prefix that
 * stays: the count of a query block is a linear function of its place there, and only blocks near the ends are looked at.
 * Nothing of the kind is known of a mask of any other form: its tiles are looked at one by one.
 * @throws InputError for a sequence that cannot be cut
 */
export function tileTotal(scenario: LayerScenario, tokens: number, blockSize: number): number {
  const cut = partition(tokens, blockSize);
  if (isSampled(scenario)) {
    return cut.blocks;
  }
  const mask = maskOf(scenario, tokens);
  if ('ranges' in mask) {
    return Array.from({ length: cut.blocks }, (_, block) => tileCount(tileRuns(mask, cut, block))).reduce((sum, tiles) => sum + tiles, 0);
  }
  const sum = (from: number, to: number): number => {
    let total = 0;
    for (let block = from; block < to; block += 1) {
      total += tilesOfBlock(mask, cut, block);
    }
    return total;
  };
  const edge = Math.ceil(reachOf(scenario) / blockSize) + 2;
  const [first, last] = [edge, cut.blocks - 1 - edge];
  if (last <= first) {
    return sum(0, cut.blocks);
  }
  const middle = ((last - first + 1) * (tilesOfBlock(mask, cut, first) + tilesOfBlock(mask, cut, last))) / 2;
  return sum(0, first) + middle + sum(last + 1, cut.blocks);
}

/** Tokens from an end of the sequence within which a mask may look different from its middle. */
function reachOf(scenario: LayerScenario): number {
  return ('window' in scenario ? scenario.window : 0) + ('sinks' in scenario ? scenario.sinks : 0);
}

/** Key blocks that hold a key which some query of the block sees: those of the prefix, and those of the band. */
function tilesOfBlock(mask: BandedMask, cut: Partition, queryBlock: number): number {
  const first = mask.visible(blockStart(cut, queryBlock));
  const last = mask.visible(blockEnd(cut, queryBlock) - 1);
  const bandFrom = Math.floor(first.start / cut.blockSize);
  const bandTo = Math.ceil(last.end / cut.blockSize);
  return bandTo - bandFrom + Math.min(Math.ceil(last.prefixEnd / cut.blockSize), bandFrom);
}

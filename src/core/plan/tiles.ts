import { tileBudget } from '../chosen/rule';
import { type BandedMask, isSampled, type LayerScenario, maskOf, StepBudget, tileRuleOf } from '../scenario/scenario';
import { type TileRun, tileRuns } from '../scenario/tile-runs';
import { blockEnd, blockStart, type Partition, partition } from './partition';

export { type TileKind, type TileRun, tileRuns } from '../scenario/tile-runs';

/** Theorem 4.1: query block t reads the keys tau(S_t), one block of the permuted keys. */
export function sampledRun(block: number): TileRun {
  return { from: block, to: block + 1, kind: 'sampled' };
}

/** The key blocks before its own, from which those of a query block are chosen, and its own. */
export function chosenRuns(block: number): readonly TileRun[] {
  const own: TileRun = { from: block, to: block + 1, kind: 'partial' };
  return block === 0 ? [own] : [{ from: 0, to: block, kind: 'chosen' }, own];
}

/** Number of tiles in a list of runs. */
export function tileCount(runs: readonly TileRun[]): number {
  return runs.reduce((sum, run) => sum + run.to - run.from, 0);
}

/**
 * Tiles of one head of one layer, as `planLayers` counts them, without listing them: a million tokens take microseconds.
 *
 * Away from both ends of the sequence every banded mask is a band that moves along with the query, perhaps with a constant
 * prefix: the count per query block is a linear function of its position there, and only blocks near the ends are examined.
 * A mask of any other form has no such structure: its tiles are examined one by one.
 * @param budget for a mask that the user wrote
 * @throws InputError for a sequence that cannot be partitioned, or a mask that costs more than the budget
 */
export function tileTotal(scenario: LayerScenario, tokens: number, blockSize: number, budget = new StepBudget()): number {
  const cut = partition(tokens, blockSize);
  if (isSampled(scenario)) {
    return cut.blocks;
  }
  const rule = tileRuleOf(scenario);
  if (rule !== undefined) {
    return tileBudget(rule, cut.blocks);
  }
  const mask = maskOf(scenario, tokens, budget);
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

/** Tokens from either end of the sequence within which a mask may differ from its middle. */
function reachOf(scenario: LayerScenario): number {
  return ('window' in scenario ? scenario.window : 0) + ('sinks' in scenario ? scenario.sinks : 0);
}

/** Number of key blocks with a key that some query of the block sees: those of the prefix and those of the band. */
function tilesOfBlock(mask: BandedMask, cut: Partition, queryBlock: number): number {
  const first = mask.visible(blockStart(cut, queryBlock));
  const last = mask.visible(blockEnd(cut, queryBlock) - 1);
  const bandFrom = Math.floor(first.start / cut.blockSize);
  const bandTo = Math.ceil(last.end / cut.blockSize);
  return bandTo - bandFrom + Math.min(Math.ceil(last.prefixEnd / cut.blockSize), bandFrom);
}

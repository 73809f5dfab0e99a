import { type LayerScenario, makeScenario } from '../scenario/scenario';

/**
 * A mask of whole tiles that a layer may have: the first key blocks, and the last ones up to a query's own. It shows all that its tiles
 * hold, so that no other window with sinks shows more for as many tiles.
 */
export interface Candidate {
  /** Key blocks at the start that every query sees. */
  readonly sinkBlocks: number;
  /** Key blocks that a query sees, its own included; those of all earlier ones make causal attention. */
  readonly windowBlocks: number;
  /** Tiles that a head reads. */
  readonly tiles: number;
}

/** Windows of up to so many blocks are all tried, wider ones in steps of a quarter. */
const everyWindow = 8;

/** Every candidate over T blocks, from the cheapest; causal attention is the last. */
export function candidatesOf(blocks: number): readonly Candidate[] {
  const windows: number[] = [];
  for (let window = 1; window < blocks; window += window < everyWindow ? 1 : Math.floor(window / 4)) {
    windows.push(window);
  }
  const found = windows.flatMap((windowBlocks) => [0, 1].map((sinkBlocks) => candidate(sinkBlocks, windowBlocks, blocks)));
  const causal = candidate(0, blocks, blocks);
  return [...found.filter(({ tiles }) => tiles < causal.tiles), causal].sort((one, other) => one.tiles - other.tiles);
}

function candidate(sinkBlocks: number, windowBlocks: number, blocks: number): Candidate {
  const most = Math.min(blocks, sinkBlocks + windowBlocks);
  return { sinkBlocks, windowBlocks, tiles: (most * (most + 1)) / 2 + (blocks - most) * most };
}

/** A candidate as a scenario over T blocks of M tokens. */
export function candidateScenario({ sinkBlocks, windowBlocks }: Candidate, blockSize: number, blocks: number): LayerScenario {
  if (windowBlocks >= blocks) {
    return makeScenario('causal');
  }
  const window = `q // ${blockSize} - k // ${blockSize} < ${windowBlocks}`;
  const expression = sinkBlocks === 0 ? `k <= q and ${window}` : `k <= q and (k < ${sinkBlocks * blockSize} or ${window})`;
  return makeScenario('custom', { expression });
}

import type { TileChoice } from '../../../core/chosen/choice';
import { permutation } from '../../../core/math/random';
import { blockEnd, blockStart } from '../../../core/plan/partition';
import { layerParts, type LayerPlan, partsOfHeads, type Plan } from '../../../core/plan/plan';
import { rangesByPredicate } from '../../../core/scenario/by-predicate';
import { isSampled, type Mask, maskOf, type Range, sampleSeed } from '../../../core/scenario/scenario';
import type { RowSight } from './exact-rows';

/** Steps of asking a mask of a known form about a pair, all in all. */
const knownSteps = 4;

/**
 * What the queries of layers with one scenario see, from the scenario's predicate and not from the plan's tiles: what checks a run
 * must not have made it.
 */
export class PlanSight {
  readonly mask: Mask;
  private readonly order: Uint32Array | undefined;

  constructor(private readonly plan: LayerPlan) {
    const { scenario, tokens } = plan;
    this.mask = maskOf(scenario, tokens);
    const seed = sampleSeed(scenario);
    this.order = seed === undefined ? undefined : permutation(tokens, seed);
  }

  /** Whether the results are estimates from a sample of the keys (theorem 4.1). */
  get sampled(): boolean {
    return isSampled(this.plan.scenario);
  }

  /** The keys that the mask shows a query. */
  visible(row: number): RowSight {
    return { row, ranges: rangesByPredicate(this.mask, row, this.plan.tokens) };
  }

  /** The keys that the construction is to read for a query: its sample's, if the plan samples. */
  read(row: number): RowSight {
    return this.order === undefined ? this.visible(row) : { row, ranges: [this.sampleOf(row)], order: this.order };
  }

  /** What is to be added to the log-normaliser over the keys that are read: a sample's sum is scaled up to all N keys. */
  scaleUp(row: number): number {
    if (this.order === undefined) {
      return 0;
    }
    const { from, to } = this.sampleOf(row);
    return Math.log(this.plan.tokens / (to - from));
  }

  /** Steps of finding what a query sees, as budgets count them: a mask of any form is asked about every key. */
  get stepsOfRow(): number {
    return 'visible' in this.mask ? knownSteps : this.plan.tokens * (this.mask.pairSteps ?? knownSteps);
  }

  private sampleOf(row: number): Range {
    const block = Math.floor(row / this.plan.blockSize);
    return { from: blockStart(this.plan, block), to: blockEnd(this.plan, block) };
  }
}

/** What each part of a plan sees, and by layer the part of each of its heads. */
export function sightsOf(plan: Plan): { readonly parts: readonly PlanSight[]; readonly partOf: readonly (readonly number[])[] } {
  return { parts: layerParts(plan).map((part) => new PlanSight(part.plan)), partOf: partsOfHeads(plan) };
}

/** What a query reads where tiles are chosen. */
export function chosenSight(choice: TileChoice, head: number, row: number, { blockSize }: Pick<LayerPlan, 'blockSize'>): RowSight {
  const ranges = choice.rangesOf(head, row, blockSize);
  return { row, ranges, logScales: ranges.map(({ logScale }) => logScale) };
}

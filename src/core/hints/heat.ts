import type { ExperimentSummary } from '../evaluate/report';
import { instancesOfBlocks, type Plan } from '../plan/plan';
import { blockEnd, blockStart } from '../plan/partition';
import { scenarioLabel } from '../scenario/scenario';

/** How many shades there are: 1 is the coolest. */
export const heatLevels = 5;

/** Tokens `[from, to)` that have one shade. */
export interface HeatStretch {
  readonly from: number;
  readonly to: number;
  /** 1 to `heatLevels`. */
  readonly level: number;
}

/** Most stretches: an overview ruler has a few hundred pixels. */
const mostStretches = 200;

/** The shade of a value, by how often it holds the mean of all: the middle one where it is the mean, the hottest from twice as much on. */
function levelOf(value: number, mean: number): number {
  return Math.max(1, Math.min(heatLevels, Math.ceil((value / mean) * (heatLevels / 2))));
}

/** What each part of a prompt costs beside its other parts: shades by the attention instances of its blocks. */
export function costHeat(plan: Plan): readonly HeatStretch[] {
  const { blocks } = plan;
  const cells = Math.min(blocks, mostStretches);
  return merged(
    Array.from({ length: cells }, (_, cell) => {
      const [first, end] = [cell, cell + 1].map((index) => Math.floor((index * blocks) / cells));
      const level = levelOf(instancesOfBlocks(plan, first, end) / (end - first), plan.instances / blocks);
      return { from: blockStart(plan, first), to: blockEnd(plan, end - 1), level };
    }),
  );
}

/**
 * Where in a prompt the mask changes the model's predictions: shades by KL divergence at its positions, as an evaluation measured it,
 * in ranges that double in length.
 *
 * @param sha256 of the prompt's text
 * @returns none where the evaluation is of another text or scenario, or read this one in several windows: a position is then no place
 */
export function klHeat(evaluation: ExperimentSummary | null, sha256: string, plan: Plan): readonly HeatStretch[] {
  const [prompt, ...others] = evaluation?.prompts ?? [];
  if (evaluation === null || others.length > 0 || prompt.sha256 !== sha256 || prompt.windows !== 1) {
    return [];
  }
  const label = scenarioLabel(plan.scenario);
  const curve = evaluation.points.find(({ scenario }) => scenarioLabel(scenario) === label)?.quality?.curve ?? [];
  const count = curve.reduce((sum, bin) => sum + bin.count, 0);
  const mean = curve.reduce((sum, bin) => sum + bin.divergence.value * bin.count, 0) / count;
  // Where nothing diverges, as in the model's own attention, there is nothing to shade.
  return !(mean > 0)
    ? []
    : merged(curve.map(({ from, to, divergence }) => ({ from, to: Math.min(to, plan.tokens), level: levelOf(divergence.value, mean) })));
}

/** Neighbours of one shade as one stretch. */
function merged(stretches: readonly HeatStretch[]): readonly HeatStretch[] {
  const found: HeatStretch[] = [];
  for (const stretch of stretches) {
    const last = found.at(-1);
    if (last?.level === stretch.level && last.to === stretch.from) {
      found[found.length - 1] = { ...last, to: stretch.to };
    } else if (stretch.to > stretch.from) {
      found.push(stretch);
    }
  }
  return found;
}

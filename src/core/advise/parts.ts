import { ofLayers, perHead, type Scenario } from '../scenario/scenario';
import type { ModelShape } from '../shapes';
import { type Candidate, candidateScenario } from './candidates';
import type { AdviseOptions } from './options';

/** What has masks of its own: the layers of a model, or its heads, each in all layers. */
export type PartKind = AdviseOptions['by'];

/** What masks are chosen for, and from what. */
export interface PartMasks {
  readonly by: PartKind;
  /** How many parts there are. */
  readonly parts: number;
  readonly candidates: readonly Candidate[];
  /** M and T. */
  readonly blockSize: number;
  readonly blocks: number;
}

/** How many parts a model has. */
export function partCount(by: PartKind, { layers, heads }: Pick<ModelShape, 'layers' | 'heads'>): number {
  return by === 'layer' ? layers : heads;
}

/** The scenario in which each part has a candidate. @param chosen by part, its index */
export function partsScenario({ by, candidates, blockSize, blocks }: PartMasks, chosen: readonly number[]): Scenario {
  const own = chosen.map((index) => candidateScenario(candidates[index], blockSize, blocks));
  return by === 'layer' ? ofLayers(own) : perHead(own);
}

/** Most groups of parts that are measured apart: each takes two runs. */
const mostGroups = 8;

/** Neighbouring parts whose loss is measured together: where they are few, each alone. */
export function partGroups(parts: number): readonly (readonly number[])[] {
  const groups = Math.min(mostGroups, parts);
  const edge = (group: number): number => Math.round((group * parts) / groups);
  return Array.from({ length: groups }, (_, group) =>
    Array.from({ length: edge(group + 1) - edge(group) }, (_part, place) => edge(group) + place),
  );
}

import type { Scenario } from '../../src/core/scenario/scenario';
import type { Shape } from '../charts/line-model';
import type { Colour } from '../theme';

/** How a line and its points are drawn. */
interface Mark {
  readonly colour: Colour;
  readonly shape: Shape;
}

/** How the lines of a scenario are drawn, in every chart. */
export const scenarioMarks: Readonly<Record<Scenario['kind'], Mark>> = {
  full: { colour: 'blue', shape: 'circle' },
  causal: { colour: 'orange', shape: 'square' },
  'sliding-window': { colour: 'purple', shape: 'triangle' },
  'attention-sink': { colour: 'green', shape: 'diamond' },
  'local-window': { colour: 'red', shape: 'cross' },
  'average-case': { colour: 'yellow', shape: 'star' },
  custom: { colour: 'foreground', shape: 'ring' },
  'per-layer': { colour: 'foreground', shape: 'ring' },
};

/** A mark for each of several scenarios: their own, or in turn where some are of one kind. */
export function marksOf(scenarios: readonly Scenario[]): readonly Mark[] {
  const all = Object.values(scenarioMarks);
  const own = new Set(scenarios.map(({ kind }) => kind)).size === scenarios.length;
  return scenarios.map(({ kind }, index) => (own ? scenarioMarks[kind] : all[index % all.length]));
}

import type { Scenario } from '../../src/core/masks';
import type { Shape } from '../charts/line-model';
import type { Colour } from '../theme';

/** How the lines of a scenario are drawn, in every chart. */
export const scenarioMarks: Readonly<Record<Scenario['kind'], { readonly colour: Colour; readonly shape: Shape }>> = {
  full: { colour: 'blue', shape: 'circle' },
  causal: { colour: 'orange', shape: 'square' },
  'sliding-window': { colour: 'purple', shape: 'triangle' },
  'attention-sink': { colour: 'green', shape: 'diamond' },
  'local-window': { colour: 'red', shape: 'cross' },
  'average-case': { colour: 'yellow', shape: 'star' },
  custom: { colour: 'foreground', shape: 'ring' },
  'per-layer': { colour: 'foreground', shape: 'ring' },
};

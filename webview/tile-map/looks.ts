import type { TileKind } from '../../src/core/plan/tiles';
import type { Pattern } from '../patterns';
import type { Colour } from '../theme';

/** Colour and pattern of each kind of tile; the legend's swatches in the style sheet follow it. */
export const looks: Readonly<Record<TileKind, { readonly colour: Colour; readonly pattern: Pattern }>> = {
  full: { colour: 'blue', pattern: 'solid' },
  partial: { colour: 'orange', pattern: 'hatched' },
  sampled: { colour: 'purple', pattern: 'dotted' },
};

import type { SliceColumns } from '../construct/slice';
import { callPalette, ink } from './palette';

/** A named group of a slice's columns. */
export type Part = Exclude<keyof SliceColumns, 'inputWidth' | 'width'>;

/** How the parts are shown. */
export const partNames: Readonly<Record<Part, { readonly label: string; readonly colour: string }>> = {
  query: { label: 'query', colour: callPalette[0] },
  reference: { label: 'reference', colour: callPalette[4] },
  key: { label: 'key', colour: callPalette[1] },
  value: { label: 'value', colour: callPalette[5] },
  one: { label: 'one', colour: ink.masked },
  real: { label: 'real', colour: ink.masked },
  synthetic: { label: 'synthetic', colour: ink.masked },
  padding: { label: 'padding', colour: ink.masked },
  querySeparation: { label: 'u', colour: callPalette[6] },
  keySeparation: { label: 'v', colour: callPalette[6] },
  score: { label: 'c', colour: callPalette[2] },
  result: { label: 'result', colour: callPalette[3] },
};
/** The parts in the order of their columns. */
export const parts = Object.keys(partNames) as Part[];

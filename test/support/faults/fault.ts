import type { ForwardPass } from '../../../src/engine/attend/forward';
import type { Plan } from '../../../src/core/plan/plan';
import type { ModelFunction } from '../../../src/engine/attend/onnx/graph-builder';
import type { Oracle } from '../../../src/engine/attend/tiles/oracle';

/** The kinds of fault that are put into runs, as docs/verification.md names them. */
export const faultKinds = [
  'a tile dropped',
  'a tile counted twice',
  'a tile shifted by one',
  'a mask off by one query',
  'a mask off by one key',
  'a head swapped with another',
  'a merge with a wrong base',
  'a stale buffer',
  'a block of zeros',
  'one wrong row, in every head',
  'a result off by 2%',
  'tokens off by one',
  'positions off by one',
  'weights of another layer',
  'a layer without its MLP',
  'a halo short by one row',
  'a loss of another token',
  'a divergence of other rows',
  'a divergence the other way',
] as const;
export type FaultKind = (typeof faultKinds)[number];

/** Where in a run a fault is. */
export interface Place {
  /** The native run of a head, or the instance of a batch, that is faulty. */
  readonly index: number;
  /** The layer and head that are; undefined for all of them, the probe included. */
  readonly only?: { readonly layer: number; readonly head: number } | undefined;
}

/** Something wrong in a run: in what its oracle is asked or answers, in its functions, or in the plan that it follows. */
export interface Fault {
  readonly kind: FaultKind;
  /** The layer that it is in, if it is in one head or two of one layer. */
  readonly layer?: number | undefined;
  readonly oracle?: (oracle: Oracle) => Oracle;
  readonly functions?: readonly ModelFunction[];
  readonly plan?: (plan: Plan) => Plan;
  readonly run?: (run: RunInput) => RunInput;
}

/** What is run, besides its plan. */
export type RunInput = Pick<ForwardPass, 'model' | 'tokens' | 'positions'>;

/** An oracle that passes everything on, but for what a fault replaces. */
export function replaced(oracle: Oracle, methods: Partial<Oracle>): Oracle {
  return {
    calls: oracle.calls,
    attend: (run) => oracle.attend(run),
    attendOn: (run) => oracle.attendOn(run),
    attendApart: (run) => oracle.attendApart(run),
    attendChosen: (run) => oracle.attendChosen(run),
    tileMasses: (run) => oracle.tileMasses(run),
    closeRound: (perCall) => oracle.closeRound(perCall),
    rotateFor: (tokens) => oracle.rotateFor(tokens),
    uncounted: (work) => oracle.uncounted(work),
    project: (...given) => oracle.project(...given),
    outputAndMlp: (...given) => oracle.outputAndMlp(...given),
    blackBox: (shape) => oracle.blackBox(shape),
    ...methods,
  };
}

/** Rows of `width` numbers, moved by one: the first becomes the second, the last the first; or the other way. */
export function rolled(rows: Float32Array, width: number, by: 1 | -1): Float32Array {
  const moved = new Float32Array(rows.length);
  const edge = width;
  if (by === 1) {
    moved.set(rows.subarray(0, rows.length - edge), edge);
    moved.set(rows.subarray(rows.length - edge), 0);
  } else {
    moved.set(rows.subarray(edge), 0);
    moved.set(rows.subarray(0, edge), rows.length - edge);
  }
  return moved;
}

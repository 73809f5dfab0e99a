import type { BlackBox, BlackBoxBatch, BlackBoxOutput, SliceTensors } from '../../../src/engine/attend/black-box/black-box';
import { type BlackBoxShape, sliceColumns } from '../../../src/core/construct/slice';
import { partWidths } from '../../../src/engine/attend/graphs/small-transformer';
import { type Fault, type FaultKind, type Place, replaced } from './fault';

/** A slot of a batch: the rows of one instance, `[M][width]`: its mean, and behind it its log-normaliser, as far as there are. */
type Slot = readonly Float32Array[];

/** Changes what a slot gives, in place. `next` is the slot after it, `old` what the slot held in the batch before. */
type ChangeOutput = (
  slot: Slot,
  mean: number,
  normaliser: number | undefined,
  others: { readonly next: Slot; readonly old: Slot | undefined },
) => void;

/** Faults of the calls of a black box: `place.index` is the slot, `only.layer` the layer. @param masked whether calls hide pairs */
export function blackBoxFaults(place: Place, masked: boolean): readonly Fault[] {
  // Where every query sees every key of a call, moving the keys is no fault.
  const inputs: readonly [FaultKind, 1 | -1][] = masked
    ? [
        ['a mask off by one key', 1],
        ['a mask off by one key', -1],
      ]
    : [];
  const outputs: readonly [FaultKind, ChangeOutput][] = [
    ['a tile dropped', (slot, _, at) => onNormaliser(slot, at, () => -Infinity)],
    ['a tile counted twice', (slot, _, at) => onNormaliser(slot, at, (value) => value + Math.LN2)],
    ['a tile shifted by one', (slot) => slot.map((row) => row.slice()).forEach((row, index) => slot[(index + 1) % slot.length].set(row))],
    ['a merge with a wrong base', (slot, _, at) => onNormaliser(slot, at, (value) => value / Math.LN2)],
    ['a block of zeros', (slot, mean) => slot.forEach((row) => row.fill(0, 0, mean))],
    ['a stale buffer', (slot, _mean, _at, { old }) => old?.forEach((row, index) => slot[index].set(row))],
    ...(place.only === undefined
      ? ([
          [
            'one wrong row, in every head',
            (slot, mean) => slot[5].forEach((value, column) => (slot[5][column] = column < mean ? -value : value)),
          ],
        ] as [FaultKind, ChangeOutput][])
      : ([
          [
            'a head swapped with another',
            (slot, _mean, _at, { next }) =>
              slot
                .map((row) => row.slice())
                .forEach((row, index) => {
                  slot[index].set(next[index]);
                  next[index].set(row);
                }),
          ],
        ] as [FaultKind, ChangeOutput][])),
  ];
  return [
    ...inputs.map(([kind, by]): Fault => ({ kind, layer: place.only?.layer, oracle: (oracle) => faulty(oracle, place, by, undefined) })),
    ...outputs.map(([kind, change]): Fault => ({
      kind,
      layer: place.only?.layer,
      oracle: (oracle) => faulty(oracle, place, undefined, change),
    })),
  ];
}

function faulty(
  oracle: Parameters<NonNullable<Fault['oracle']>>[0],
  place: Place,
  by: 1 | -1 | undefined,
  change: ChangeOutput | undefined,
) {
  let probing = false;
  let layer = 0;
  let last: string | undefined;
  const wrapped = (box: BlackBox): BlackBox => {
    const old = new Map<string, Slot>();
    return {
      shape: box.shape,
      call: async (batch) => {
        // A layer's batches come in one order; a kind that comes again begins the next layer.
        const kind = `${batch.causal} ${batch.reading} ${batch.retry}`;
        if (!probing && last !== undefined && kind === first) {
          layer += 1;
        }
        first ??= probing ? undefined : kind;
        last = probing ? last : kind;
        const hit = !batch.retry && (place.only === undefined || (!probing && layer === place.only.layer));
        const given = hit && by !== undefined ? { ...batch, tokens: keysMoved(batch, box.shape, place.index, by) } : batch;
        const out = await box.call(given);
        const slot = slotOf(out, box.shape, place.index);
        const before = old.get(`${kind} ${probing}`);
        old.set(
          `${kind} ${probing}`,
          slot.map((row) => row.slice()),
        );
        if (hit) {
          const mean = batch.reading === 'state' || batch.reading === 'mean-value' ? box.shape.headWidth : 0;
          const normaliser = batch.reading === 'state' ? box.shape.headWidth : batch.reading === 'normaliser' ? 0 : undefined;
          const next = slotOf(out, box.shape, place.index + 1);
          change?.(slot, mean, normaliser, { next, old: before });
          writeSlot(out, box.shape, place.index + 1, next);
          writeSlot(out, box.shape, place.index, slot);
        }
        return out;
      },
    };
  };
  let first: string | undefined;
  return replaced(oracle, {
    blackBox: (shape) => wrapped(oracle.blackBox(shape)),
    uncounted: async (work) => {
      probing = true;
      try {
        return await oracle.uncounted(work);
      } finally {
        probing = false;
      }
    },
  });
}

function onNormaliser(slot: Slot, at: number | undefined, of: (value: number) => number): void {
  if (at !== undefined) {
    slot.forEach((row) => (row[at] = of(row[at])));
  }
}

/** A copy of a slot of an output. */
function slotOf(out: BlackBoxOutput, shape: BlackBoxShape, slot: number): Slot {
  return Array.from({ length: shape.rows }, (_, row) => {
    const at = slot * shape.rows + row;
    const mean = out.mean?.subarray(at * shape.headWidth, (at + 1) * shape.headWidth) ?? [];
    return Float32Array.from([...mean, ...(out.logNormaliser?.subarray(at, at + 1) ?? [])]);
  });
}

function writeSlot(out: BlackBoxOutput, { rows, headWidth }: BlackBoxShape, slot: number, changed: Slot): void {
  changed.forEach((row, index) => {
    const at = slot * rows + index;
    out.mean?.set(row.subarray(0, headWidth), at * headWidth);
    out.logNormaliser?.set(row.subarray(out.mean === undefined ? 0 : headWidth), at);
  });
}

/** A copy of a batch in which a slot's keys and values lie one row further on, or back: every query sees one more, or one less. */
function keysMoved({ tokens, reading }: BlackBoxBatch, shape: BlackBoxShape, slot: number, by: 1 | -1): SliceTensors {
  const columns = sliceColumns(shape, reading);
  const widths = partWidths(shape);
  const moved = { ...tokens, key: tokens.key.slice(), value: tokens.value.slice(), marks: tokens.marks.slice() };
  // Row 0 is the synthetic token's.
  const last = shape.rows - 1;
  const { key, value, real, padding, keySeparation } = columns;
  for (let row = 1; row <= last; row += 1) {
    const source = by === 1 ? (row === 1 ? last : row - 1) : row === last ? 1 : row + 1;
    const move = (part: 'key' | 'value' | 'marks', start: number, width: number): void => {
      const at = (place: number): number => (slot * shape.rows + place) * widths[part] + start;
      moved[part].set(tokens[part].subarray(at(source), at(source) + width), at(row));
    };
    move('key', 0, key.width);
    move('value', 0, value.width);
    [real, padding, keySeparation].forEach(({ from, width }) => move('marks', from - columns.one.from, width));
  }
  return moved;
}

import type { AttentionResult, AttentionRun, KeyStack, Oracle, RunningSums } from '../../../src/engine/attend/tiles/oracle';
import { type Fault, type FaultKind, type Place, replaced, rolled } from './fault';

/** Changes what a run of tiles reads; undefined where the run has nothing of the sort. */
type ChangeRun = (run: AttentionRun) => AttentionRun | undefined;

/** Changes what it gives, in place. `before` is what the run before it gave, and `other` the same run of the head before. */
type ChangeResult = (given: Given, earlier: { readonly before: Given | undefined; readonly other: Given | undefined }) => Given | undefined;

/** Sums that another run continues, or a result. */
type Given = AttentionResult | RunningSums;

/** Faults of the runs of one head under the `fused` construction: its oracle's calls. */
export function tileFaults(place: Place, heads: number, runsOfHead: number): readonly Fault[] {
  const reading: readonly [FaultKind, ChangeRun][] = [
    ['a tile dropped', dropTile],
    [
      'a tile counted twice',
      (run) => (run.blocks === 1 || run.stacks.length > 1 ? withStacks(run, [...run.stacks, lastOf(run)]) : undefined),
    ],
    ['a tile dropped', (run) => withFurther(run, () => undefined)],
    ['a tile shifted by one', (run) => withLast(run, (stack, width) => ({ ...stack, key: rolled(stack.key, width, 1) }))],
    ['a tile shifted by one', (run) => withFurther(run, (stack, width) => ({ ...stack, key: rolled(stack.key, width, 1) }))],
    ['a mask off by one query', (run) => withMask(run, (mask, keys) => rolled(mask, keys, -1))],
    ['a mask off by one query', (run) => withMask(run, (mask, keys) => rolled(mask, keys, 1))],
    ['a mask off by one key', (run) => withMask(run, (mask) => rolled(mask, 1, 1))],
    ['a mask off by one key', (run) => withMask(run, (mask) => rolled(mask, 1, -1))],
  ];
  const giving: readonly [FaultKind, ChangeResult][] = [
    ['a head swapped with another', (_, { other }) => (place.only === undefined ? undefined : other)],
    ['a merge with a wrong base', wrongBase],
    ['a stale buffer', (given, { before }) => (before !== undefined && sizeOf(before) === sizeOf(given) ? before : undefined)],
    [
      'a block of zeros',
      (given) => ('out' in given ? { ...given, out: given.out.map(() => 0) } : { ...given, weighted: given.weighted.map(() => 0) }),
    ],
    ['one wrong row, in every head', (given) => (place.only === undefined && 'out' in given ? withWrongRow(given, 3) : undefined)],
  ];
  return [
    ...reading.map(([kind, change]): Fault => ({
      kind,
      layer: place.only?.layer,
      oracle: (oracle) => faulty(oracle, place, heads, runsOfHead, change),
    })),
    ...giving.map(([kind, change]): Fault => ({
      kind,
      layer: place.only?.layer,
      oracle: (oracle) => faulty(oracle, place, heads, runsOfHead, undefined, change),
    })),
  ];
}

/** One row of one head of one layer, and nothing else. */
export function wrongRowOf(place: Place, row: number, heads: number, runsOfHead: number): (oracle: Oracle) => Oracle {
  return (oracle) =>
    faulty(oracle, place, heads, runsOfHead, undefined, (given) => ('out' in given ? withWrongRow(given, row) : undefined));
}

function faulty(oracle: Oracle, place: Place, heads: number, runsOfHead: number, reads?: ChangeRun, gives?: ChangeResult): Oracle {
  let made = 0;
  let probing = false;
  let before: Given | undefined;
  const earlier = new Map<number, Given>();
  const hits = (): boolean => {
    const [run, head, layer] = [made % runsOfHead, Math.floor(made / runsOfHead) % heads, Math.floor(made / runsOfHead / heads)];
    return run === place.index && (place.only === undefined || (!probing && place.only.layer === layer && place.only.head === head));
  };
  const through = async <Result extends Given>(run: AttentionRun, attend: (run: AttentionRun) => Promise<Result>): Promise<Result> => {
    const own = probing ? probed % runsOfHead : made % runsOfHead;
    const hit = probing ? place.only === undefined && own === place.index : hits();
    const given = await attend((hit ? reads?.(run) : undefined) ?? run);
    const changed = hit ? gives?.(given, { before, other: earlier.get(own) }) : undefined;
    earlier.set(own, given);
    before = given;
    if (probing) {
      probed += 1;
    } else {
      made += 1;
    }
    return (changed ?? given) as Result;
  };
  let probed = 0;
  return replaced(oracle, {
    attend: (run) => through(run, (own) => oracle.attend(own)),
    attendOn: (run) => through(run, (own) => oracle.attendOn(own)),
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

function lastOf({ stacks }: AttentionRun): KeyStack {
  return stacks[stacks.length - 1];
}

function withStacks(run: AttentionRun, stacks: readonly KeyStack[]): AttentionRun {
  return { ...run, stacks };
}

function withLast(run: AttentionRun, change: (stack: KeyStack, width: number) => KeyStack): AttentionRun {
  const last = lastOf(run);
  return withStacks(run, [...run.stacks.slice(0, -1), change(last, widthOf(run))]);
}

/** Changes the tiles that the last query block alone reads. */
function withFurther(run: AttentionRun, change: (stack: KeyStack, width: number) => KeyStack | undefined): AttentionRun | undefined {
  const { further } = run;
  const last = further?.at(-1);
  return further && last && { ...run, further: further.with(-1, change(last, widthOf(run))) };
}

/** m. */
function widthOf({ query, blocks, rows }: AttentionRun): number {
  return query.length / (blocks * rows);
}

function withMask(run: AttentionRun, change: (mask: Float32Array, keys: number) => Float32Array): AttentionRun | undefined {
  const at = run.stacks.findIndex(({ mask }) => mask !== undefined);
  return at < 0
    ? undefined
    : withStacks(
        run,
        run.stacks.map((stack, index) =>
          index === at && stack.mask ? { ...stack, mask: change(stack.mask, stack.mask.length / run.rows) } : stack,
        ),
      );
}

function dropTile(run: AttentionRun): AttentionRun | undefined {
  const { stacks, blocks, rows } = run;
  const last = lastOf(run);
  if (stacks.length > 1) {
    return withStacks(run, stacks.slice(0, -1));
  }
  if (blocks > 1 || last.tiles === 1) {
    return undefined;
  }
  const tiles = last.tiles - 1;
  const part = (tensor: Float32Array): Float32Array => tensor.subarray(0, (tensor.length / last.tiles) * tiles);
  return rows > 0 ? withStacks(run, [{ ...last, tiles, key: part(last.key), value: part(last.value) }]) : undefined;
}

/** Natural logarithms taken for those to base 2, or a reference that the sums do not have. */
function wrongBase(given: Given): Given {
  return 'out' in given
    ? { ...given, logNormaliser: given.logNormaliser.map((value) => value / Math.LN2) }
    : { ...given, reference: given.reference.map((value) => value + Math.LN2) };
}

function withWrongRow(given: AttentionResult, row: number): AttentionResult {
  const width = given.out.length / given.logNormaliser.length;
  return { ...given, out: given.out.map((value, index) => (Math.floor(index / width) === row ? -value : value)) };
}

function sizeOf(given: Given): string {
  return JSON.stringify(Object.entries(given).map(([name, { length }]: [string, Float32Array]) => [name, length]));
}

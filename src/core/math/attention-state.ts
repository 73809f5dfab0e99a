/**
 * Attention over a set of keys, for a block of queries, in a form that merges exactly.
 *
 * `out` is `[rows, width]`: the softmax-weighted mean of the values; `logNormaliser` is `[rows]`: the natural logarithm
 * of the sum of exponentiated scores (the log-sum-exp). A row over no keys is `-Infinity` with a zero `out`.
 * Merging states over **disjoint** key sets is associative and commutative, and the empty state is its identity.
 */
export interface AttentionState {
  readonly rows: number;
  readonly width: number;
  /** `[rows, width]`, row-major. */
  readonly out: Float32Array | Float64Array;
  /** `[rows]`, natural logarithm. */
  readonly logNormaliser: Float32Array | Float64Array;
}

/** The state over no keys: the identity of the merge. */
export function emptyState(rows: number, width: number): AttentionState {
  return {
    rows,
    width,
    out: new Float32Array(rows * width),
    logNormaliser: new Float64Array(rows).fill(-Infinity),
  };
}

/** The state over the union of the (disjoint) key sets of `left` and `right`. */
export function mergeStates(left: AttentionState, right: AttentionState): AttentionState {
  if (left.rows !== right.rows || left.width !== right.width) {
    throw new RangeError(`Cannot merge [${left.rows}, ${left.width}] with [${right.rows}, ${right.width}].`);
  }
  const merged: AttentionState = {
    ...left,
    out: Float64Array.from(left.out),
    logNormaliser: Float64Array.from(left.logNormaliser),
  };
  for (let row = 0; row < left.rows; row += 1) {
    mergeRow(merged, row, right, row);
  }
  return merged;
}

/**
 * Merges one row of `part` into one row of `target`, in place.
 *
 * Works in the log domain: with `t = log(e^a + e^b)`, `out = e^(a-t) out_a + e^(b-t) out_b`.
 */
export function mergeRow(target: AttentionState, targetRow: number, part: AttentionState, partRow: number): void {
  const added = part.logNormaliser[partRow];
  if (added === -Infinity) {
    return;
  }
  const { width, out } = target;
  const to = targetRow * width;
  const from = partRow * width;
  const present = target.logNormaliser[targetRow];
  if (present === -Infinity) {
    for (let column = 0; column < width; column += 1) {
      out[to + column] = part.out[from + column];
    }
    target.logNormaliser[targetRow] = added;
    return;
  }
  const total = logAddExp(present, added);
  const keep = Math.exp(present - total);
  const take = Math.exp(added - total);
  for (let column = 0; column < width; column += 1) {
    out[to + column] = keep * out[to + column] + take * part.out[from + column];
  }
  target.logNormaliser[targetRow] = total;
}

/**
 * Subtracts `part` from `target`, in place: the state over the keys of `target` that are not keys of `part`, all of which
 * must be keys of `target`. The proof of theorem 5.1 makes a window of two causal sums this way.
 *
 * With `t = log(e^a - e^b)`, `out = e^(a-t) out_a - e^(b-t) out_b`: cancellation costs the digits that `a` and `b` share,
 * possibly all of them. A row with nothing left, or less, is the empty state.
 */
export function subtractState(target: AttentionState, part: AttentionState): void {
  const { width, out } = target;
  for (let row = 0; row < target.rows; row += 1) {
    const whole = target.logNormaliser[row];
    const taken = part.logNormaliser[row];
    if (taken === -Infinity) {
      continue;
    }
    const left = whole + Math.log(-Math.expm1(taken - whole));
    const rest = Number.isNaN(left) ? -Infinity : left;
    const keep = rest === -Infinity ? 0 : Math.exp(whole - rest);
    const take = rest === -Infinity ? 0 : Math.exp(taken - rest);
    for (let column = row * width; column < (row + 1) * width; column += 1) {
      out[column] = keep * out[column] - take * part.out[column];
    }
    target.logNormaliser[row] = rest;
  }
}

/** `log(e^a + e^b)` without overflow; `-Infinity` is the identity. */
export function logAddExp(a: number, b: number): number {
  const high = Math.max(a, b);
  return high === -Infinity ? -Infinity : high + Math.log1p(Math.exp(Math.min(a, b) - high));
}

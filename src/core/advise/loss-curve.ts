/** A mask that was measured: what it cuts off, and what that did to the predictions. */
export interface LossPoint {
  /** As `CutMasses` has it. */
  readonly cut: number;
  /** Mean KL divergence in nats. */
  readonly kl: number;
}

/** Below this nothing was measured but rounding. */
const least = 1e-9;

/**
 * The mean KL divergence that a part of a model is predicted to cause by what a mask cuts off of its attention: through the points that
 * were measured, a power of the cut between two, and in proportion to it beyond them.
 *
 * @param points measured of this part, one at least
 */
export function lossCurve(points: readonly LossPoint[]): (cut: number) => number {
  const known = points
    .map(({ cut, kl }) => ({ cut: Math.max(least, cut), kl: Math.max(least, kl) }))
    .sort((one, other) => one.cut - other.cut);
  return (cut) => {
    if (cut <= 0) {
      return 0;
    }
    const above = known.findIndex((point) => cut <= point.cut);
    if (above <= 0) {
      const nearest = known[above < 0 ? known.length - 1 : 0];
      return (nearest.kl * cut) / nearest.cut;
    }
    const [from, to] = [known[above - 1], known[above]];
    const share = Math.log(cut / from.cut) / Math.log(to.cut / from.cut);
    return from.kl * (to.kl / from.kl) ** share;
  };
}

/** What a part of a model may have: what it costs, and what it is predicted to lose. */
export interface Choice {
  /** Tiles. */
  readonly cost: number;
  /** Mean KL divergence in nats; those of all parts add up. */
  readonly loss: number;
}

/** Rounding of sums of losses. */
const slack = 1e-12;

/**
 * The cheapest choice for every part whose losses together are at most a limit, by exchange: from the dearest for all, that step is taken
 * again and again which saves most for what it loses, among the steps of the lower convex hull of each part (Lagrange's multipliers:
 * what it passes is the cheapest there is for its loss). What the limit then still leaves is filled by single exchanges.
 *
 * @param parts the choices of each, with one of no loss among them
 * @param limit of the sum of losses, 0 or more
 * @returns by part, the index of its choice
 */
export function cheapest(parts: readonly (readonly Choice[])[], limit: number): readonly number[] {
  const hulls = parts.map(hullOf);
  const places = hulls.map(() => 0);
  const chosen = (): number[] => hulls.map((hull, part) => hull[places[part]]);
  let loss = 0;
  for (;;) {
    let best: { readonly part: number; readonly loss: number; readonly saves: number } | undefined;
    for (let part = 0; part < parts.length; part += 1) {
      const [now, next] = [hulls[part][places[part]], hulls[part].at(places[part] + 1)];
      if (next !== undefined) {
        const step = {
          part,
          loss: parts[part][next].loss - parts[part][now].loss,
          saves: parts[part][now].cost - parts[part][next].cost,
        };
        best = best === undefined || step.saves * best.loss > best.saves * step.loss ? step : best;
      }
    }
    if (best === undefined || loss + best.loss > limit + slack) {
      return filled(parts, chosen(), limit);
    }
    loss += best.loss;
    places[best.part] += 1;
  }
}

/** Exchanges single choices for cheaper ones, the one that saves most first, while the limit holds. */
function filled(parts: readonly (readonly Choice[])[], start: readonly number[], limit: number): readonly number[] {
  const chosen = [...start];
  for (;;) {
    const loss = chosen.reduce((sum, index, part) => sum + parts[part][index].loss, 0);
    let best: { readonly part: number; readonly index: number; readonly saves: number } | undefined;
    parts.forEach((choices, part) => {
      const now = choices[chosen[part]];
      choices.forEach((choice, index) => {
        const saves = now.cost - choice.cost;
        if (saves > (best?.saves ?? 0) && loss - now.loss + choice.loss <= limit + slack) {
          best = { part, index, saves };
        }
      });
    });
    if (best === undefined) {
      return chosen;
    }
    chosen[best.part] = best.index;
  }
}

/** The choices of a part on its lower convex hull, from the cheapest of those that lose least to the cheapest of all. */
function hullOf(choices: readonly Choice[]): readonly number[] {
  const order = choices.map((_, index) => index).sort((a, b) => choices[a].loss - choices[b].loss || choices[a].cost - choices[b].cost);
  const hull: number[] = [];
  for (const index of order) {
    const { cost, loss } = choices[index];
    if (hull.length > 0 && cost >= choices[hull[hull.length - 1]].cost) {
      continue;
    }
    while (hull.length > 1) {
      const [before, last] = [choices[hull[hull.length - 2]], choices[hull[hull.length - 1]]];
      // The step to the last one saves less for its loss than the step past it.
      if ((before.cost - last.cost) * (loss - last.loss) > (last.cost - cost) * (last.loss - before.loss)) {
        break;
      }
      hull.pop();
    }
    hull.push(index);
  }
  return hull;
}

/** A choice of masks: two with the same name are the same. */
interface Named {
  readonly name: string;
}

/** How near below the limit a measured loss ends the search: what is left buys no more than a few tiles. */
const nearEnough = 0.95;

/** By how much a limit on the prediction is moved where nothing is known on its other side, and how often at most. */
const [step, mostSteps] = [1.03, 200];

/**
 * Looks for the choice whose measured loss is just within a limit, by the one scale between predicted and measured: each run tells how
 * far the prediction was off, and what is found within and beyond the limit closes in on it.
 *
 * @param limit on what is measured
 * @param choose the best choice by prediction, for a limit on that; undefined where none is left but to choose nothing
 * @param measure the loss of a choice
 * @param most choices that are measured
 * @returns those that were measured, in order
 */
export async function search<C extends Named>(
  limit: number,
  choose: (limit: number) => C | undefined,
  measure: (choice: C) => Promise<number>,
  most: number,
): Promise<readonly { readonly choice: C; readonly loss: number }[]> {
  const tried: { readonly choice: C; readonly loss: number }[] = [];
  let [within, beyond] = [0, Infinity];
  let predicted = limit;
  // A limit whose choice is known costs nothing.
  for (let steps = 0; steps < mostSteps && beyond > within * (1 + 1e-6); steps += 1) {
    const choice = choose(predicted);
    if (choice === undefined) {
      break;
    }
    const known = tried.find((each) => each.choice.name === choice.name);
    if (known === undefined && tried.length === most) {
      break;
    }
    const loss = known?.loss ?? (await measure(choice));
    if (known === undefined) {
      tried.push({ choice, loss });
    }
    if (loss <= limit && loss >= nearEnough * limit) {
      break;
    }
    [within, beyond] = loss <= limit ? [Math.max(within, predicted), beyond] : [within, Math.min(beyond, predicted)];
    const scaled = predicted * (limit / Math.max(loss, Number.MIN_VALUE));
    predicted =
      known === undefined && scaled > within && scaled < beyond
        ? scaled
        : within === 0
          ? predicted / step
          : beyond === Infinity
            ? predicted * step
            : Math.sqrt(within * beyond);
  }
  return tried;
}

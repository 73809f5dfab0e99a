import { InputError } from '../../errors';

/** Most steps of a plan's written masks: about a second of work on a usual machine. */
export const mostSteps = 120_000_000;

/**
 * The work that written masks may cause in one plan, counted in steps: a node of an expression evaluated at a pair or
 * bounded over a rectangle, a rectangle, an entry of a table, a run of one.
 *
 * Steps instead of time, so that every machine refuses the same masks.
 */
export class StepBudget {
  private taken = 0;

  /** Steps so far. */
  get spent(): number {
    return this.taken;
  }

  /**
   * Takes steps, before the work is done.
   *
   * @throws InputError that names the mask, as `what` tells it, its cost and the fix, if too few are left
   */
  spend(steps: number, what: string, tokens: number): void {
    this.taken += steps;
    if (this.taken > mostSteps) {
      throw new InputError(
        `${what} costs too much to plan for ${tokens} tokens: more than ${mostSteps / 1e6} million steps; cut the prompt with --max-tokens, use larger blocks, or write it from conditions on q, k and q - k alone.`,
      );
    }
  }
}

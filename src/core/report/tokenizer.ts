import { formatCount } from '../format';
import type { Plan } from '../plan/plan';

/** Where token counts come from. */
export interface TokenizerDescription {
  /** `tokenizer.json`, or the name of the encoding that stands in for it. */
  readonly name: string;
  /** Whether these are the model's own tokens; else their number is an estimate, and they cannot be run. */
  readonly exact: boolean;
  /** Why an encoding stands in, in a sentence; null where the model has its own file. */
  readonly reason: string | null;
}

/** A plan, with a note where its number of tokens is an estimate. */
export function withTokenizerNote(plan: Plan, { name, exact, reason }: TokenizerDescription): Plan {
  return exact ? plan : { ...plan, notes: [...plan.notes, `The ${formatCount(plan.tokens)} tokens are an estimate by ${name}. ${reason ?? ''}`.trimEnd()] };
}

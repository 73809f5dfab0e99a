import { formatCount } from '../format';
import { t } from '../l10n';
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
  return exact ? plan : { ...plan, notes: [...plan.notes, noteOf(plan, name, reason)] };
}

/** The engine gives the reason, in English. */
function noteOf({ tokens }: Plan, name: string, reason: string | null): string {
  return [t('The {0} tokens are an estimate by {1}.', formatCount(tokens), name), ...(reason === null ? [] : [reason])].join(' ');
}

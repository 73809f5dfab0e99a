import { formatCount, formatNumberOf, formatPercent } from '../format';
import { t } from '../l10n';
import type { ModelShape } from '../shapes';

/** The lengths that a model's configuration states, in tokens. */
export type ContextLengths = Pick<ModelShape, 'trainedTokens' | 'maximumTokens'>;

/** Tokens that a model can read as it was trained to; undefined where its configuration does not say. */
export function contextLength({ trainedTokens, maximumTokens }: ContextLengths): number | undefined {
  return trainedTokens === undefined || maximumTokens === undefined
    ? (trainedTokens ?? maximumTokens)
    : Math.min(trainedTokens, maximumTokens);
}

/** How much of a model's context a prompt of N tokens takes, such as `3,743 of 131,072 tokens, 3%`; else N alone. */
export function contextText(tokens: number, lengths: ContextLengths): string {
  const length = contextLength(lengths);
  return length === undefined
    ? formatNumberOf(tokens, 'token')
    : t('{0} of {1} tokens, {2}', formatCount(tokens), formatCount(length), formatPercent(tokens / length));
}

/** Whether N tokens are more than the positions that a model has: they can be planned, and not run. */
export function exceedsPositions(tokens: number, { maximumTokens }: ContextLengths): boolean {
  return maximumTokens !== undefined && tokens > maximumTokens;
}

/** Which length of its model a prompt of N tokens passes, in a few words; undefined where it passes none. */
export function contextWarning(tokens: number, lengths: ContextLengths): string | undefined {
  return ofPassed(
    tokens,
    lengths,
    (positions) => t('past the model’s {0} positions', formatCount(positions)),
    (trained) => t('past the {0} tokens of training', formatCount(trained)),
  );
}

/** What follows for a prompt of N tokens from the length that it passes, as a note; undefined where it passes none. */
export function contextNote(tokens: number, lengths: ContextLengths): string | undefined {
  return ofPassed(
    tokens,
    lengths,
    (positions) =>
      t('The model has {0} positions and cannot run {1} tokens: this is a plan only.', formatCount(positions), formatCount(tokens)),
    (trained) =>
      t(
        '{0} tokens are past the {1} that the model was trained on: its predictions there are worse under any mask.',
        formatCount(tokens),
        formatCount(trained),
      ),
  );
}

/** The text of the length that N tokens pass. What cannot be run at all says nothing of how well it would run. */
function ofPassed(
  tokens: number,
  { trainedTokens, maximumTokens }: ContextLengths,
  ofPositions: (positions: number) => string,
  ofTraining: (trained: number) => string,
): string | undefined {
  if (maximumTokens !== undefined && tokens > maximumTokens) {
    return ofPositions(maximumTokens);
  }
  return trainedTokens !== undefined && tokens > trainedTokens ? ofTraining(trainedTokens) : undefined;
}

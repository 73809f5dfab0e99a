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

/**
 * What follows for a prompt of N tokens from the length of its model that it passes, as a note; undefined where it passes none. What
 * cannot be run at all says nothing of how well it would run.
 */
export function contextNote(tokens: number, { trainedTokens, maximumTokens }: ContextLengths): string | undefined {
  if (maximumTokens !== undefined && tokens > maximumTokens) {
    return t(
      'The model has {0} positions and cannot run {1} tokens: this is a plan only.',
      formatCount(maximumTokens),
      formatCount(tokens),
    );
  }
  return trainedTokens !== undefined && tokens > trainedTokens
    ? t(
        '{0} tokens are past the {1} that the model was trained on: its predictions there are worse under any mask.',
        formatCount(tokens),
        formatCount(trainedTokens),
      )
    : undefined;
}

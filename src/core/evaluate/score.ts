/** What `--score` can be, as a regular expression without anchors. */
export const scorePattern = 'all|last-half|from=(?:0|[1-9][0-9]{0,8})';

/**
 * The first position of a context that is scored, 0-based: the prediction made there follows `position + 1` tokens.
 *
 * `last-half` is the layout of llama.cpp's perplexity and KL divergence (tools/perplexity, `first = n_ctx/2`), which scores
 * positions `floor(n/2)` to `n - 2` of a chunk of n tokens. llama.cpp leaves out a last chunk that is not full; here it is
 * scored from its own half on.
 * @param score as `scorePattern` has it
 * @param tokens n, special tokens included
 */
export function scoredFrom(score: string, tokens: number): number {
  if (score === 'last-half') {
    return Math.floor(tokens / 2);
  }
  return score.startsWith('from=') ? Number(score.slice('from='.length)) : 0;
}

import { InputError } from '../../../../core/errors';
import { splitsPair } from '../characters';

/** Most code units that are cut off tokens to find merges: ten times what the largest published vocabulary needs. */
const mostWork = 2 ** 28;

type Merge = readonly [left: string, right: string];

/**
 * The merges of a SentencePiece vocabulary, which has scores in their place: each way to part a token into two others is a merge,
 * those of the token with the highest score first. Of equal scores, transformers has two orders, which differ in few texts:
 *
 * - `by id`: earlier tokens first, and of one token earlier left parts; as Llama 2, Mistral and Phi-3 were converted;
 * - `by length`: longer left parts first; as Gemma was converted.
 *
 * @param scores by id
 * @throws InputError for tokens so long that it would take for ever
 */
export function mergesByScore(ids: ReadonlyMap<string, number>, scores: readonly number[], ties: 'by id' | 'by length'): readonly Merge[] {
  const tokens = [...ids].sort(([, one], [, other]) => scores[other] - scores[one] || one - other);
  const work = tokens.reduce((sum, [token]) => sum + token.length ** 2, 0);
  if (work > mostWork) {
    throw new InputError('its tokens are too long to find their merges');
  }
  const merges: Merge[] = [];
  for (let from = 0, to = 0; from < tokens.length; from = to) {
    // Tokens of one score: their merges are sorted together where lengths count.
    const found: (readonly [merge: Merge, left: number, right: number])[] = [];
    do {
      found.push(...(ties === 'by id' ? partings(tokens[to][0], ids).sort(byId) : partings(tokens[to][0], ids)));
      to += 1;
    } while (to < tokens.length && scores[tokens[to][1]] === scores[tokens[from][1]]);
    if (ties === 'by length') {
      found.sort(
        ([[left, right]], [[otherLeft, otherRight]]) =>
          characters(otherLeft) - characters(left) || characters(otherRight) - characters(right),
      );
    }
    for (const [merge] of found) {
      merges.push(merge);
    }
  }
  return merges;
}

type Parting = readonly [merge: Merge, left: number, right: number];

const byId = ([, left, right]: Parting, [, otherLeft, otherRight]: Parting): number => left - otherLeft || right - otherRight;

/** The ways to part a token into two others, with their ids. */
function partings(token: string, ids: ReadonlyMap<string, number>): Parting[] {
  const found: Parting[] = [];
  for (let at = 1; at < token.length; at += 1) {
    const left = splitsPair(token, at) ? undefined : ids.get(token.slice(0, at));
    const right = left === undefined ? undefined : ids.get(token.slice(at));
    if (left !== undefined && right !== undefined) {
      found.push([[token.slice(0, at), token.slice(at)], left, right]);
    }
  }
  return found;
}

function characters(text: string): number {
  return Array.from(text).length;
}

import type { Outcome } from './retrieval';

/**
 * What `media/models/induction.mjs` sets: tokens of context that a match looks at, definitions that are followed, the score of
 * a token that matches, the base of rotary angles and the pairs of columns that rotate.
 */
const [context, hops, sharpness, ropeTheta, pairs] = [8, 3, 30, 2, 64] as const;

/** A definition that a name reaches scores `2 sharpness`; all that defines nothing scores this share of it. */
const noDefinition = 0.6;

/** Logits are this times the product of codes, and three times as much for each definition that was followed. */
const [logitScale, logitGrowth] = [60, 3] as const;

/** Logits nearer than this to a tie are not called: float32 and norms move them a little. */
const calledMargin = 4;

/** Pairs that are looked at for one case before it is given up: look-backs that a mask cuts cost as many as a token sees. */
const mostPairs = 50_000_000;

const bytes = 256;
const equalsSign = 0x3d;
const isName = (byte: number): boolean => byte >= 0x41 && byte <= 0x5a;

/** A token, or where a head could not see it, the shares `[256]` of those it saw instead. */
type Seen = number | Float64Array;

/**
 * What the model `induction-bytes` is to find by definition, from a mask's predicate alone: its look-ups in float64, without
 * blocks, tiles, merges, weights but the codes of bytes, or ONNX Runtime.
 *
 * Head j of the first eight layers looks back j tokens, the ninth layer matches eight tokens of context, and three more follow
 * definitions. A look-up fails where the mask cuts the edge from the last token to what it needs; a look-back that is cut sees the
 * nearest angle among the tokens that are left.
 */
export class LookUps {
  /** Products `[256 * 256]` of the codes of bytes. */
  private readonly products: Float64Array;
  private readonly angles = new Map<number, number>();
  private pairsLeft = 0;

  /**
   * @param codes `[256][16]`: what the model has for each byte
   * @param allows whether a layer lets a query see a key, 0-based
   */
  constructor(
    codes: readonly ArrayLike<number>[],
    private readonly allows: (layer: number, query: number, key: number) => boolean,
  ) {
    this.products = Float64Array.from({ length: bytes * bytes }, (_, index) => dot(codes[Math.floor(index / bytes)], codes[index % bytes]));
  }

  /**
   * Whether the model gives an answer, each of its tokens after those before it.
   *
   * @param tokens bytes `[N]` that are read: the context, and the answer without its last token
   * @param row the token that the answer's first one follows
   * @param right answers that are right: each token has to rank no lower
   * @returns null where it is too near to call, or a mask cuts so many look-backs that it would take too long
   */
  outcome(tokens: Int32Array, row: number, answer: readonly number[], right: number): Outcome | null {
    this.pairsLeft = mostPairs;
    const seen = new Map<number, Seen>();
    let found: Outcome | null = 'found';
    for (const [index, byte] of answer.entries()) {
      const margin = this.margin(tokens, row + index, byte, right, seen);
      if (margin <= -calledMargin) {
        return 'lost';
      }
      found = margin >= calledMargin ? found : null;
    }
    return found;
  }

  /** The logit of a byte above that of the best that must not be above it; NaN where it is not known. */
  private margin(tokens: Int32Array, query: number, byte: number, right: number, seen: Map<number, Seen>): number {
    const found = [this.matched(tokens, query, seen)];
    for (let hop = 0; hop < hops; hop += 1) {
      found.push(this.defined(tokens, query, found[hop], context + 1 + hop, seen));
    }
    const logits = Float64Array.from({ length: bytes }, (_, code) =>
      found.reduce((sum, shares, hop) => sum + logitScale * logitGrowth ** hop * this.product(shares, code), 0),
    );
    const others = logits.filter((_, code) => code !== byte).sort();
    return this.pairsLeft < 0 ? NaN : logits[byte] - others[others.length - right];
  }

  /** Shares `[256]` of the bytes that the ninth layer's head copies: those before which the last eight tokens were the same. */
  private matched(tokens: Int32Array, query: number, seen: Map<number, Seen>): Float64Array {
    // The products of each token of the context with every byte.
    const own = Array.from({ length: context }, (_, distance) => {
      const token = distance === 0 ? tokens[query] : this.before(tokens, query, distance, seen);
      return Float64Array.from({ length: bytes }, (__, code) => this.product(token, code));
    });
    const scores = this.scores(tokens.length, context, query, (key) => {
      let score = 0;
      for (let distance = 0; distance < context; distance += 1) {
        const token = this.before(tokens, key, distance + 1, seen);
        score += typeof token === 'number' ? own[distance][token] : dot(own[distance], token);
      }
      return sharpness * score;
    });
    return shares(scores, (key) => tokens[key]);
  }

  /** Shares of the bytes that the names among `found` are defined as. */
  private defined(tokens: Int32Array, query: number, found: Float64Array, layer: number, seen: Map<number, Seen>): Float64Array {
    const names = found.map((share, byte) => (isName(byte) ? share : 0));
    const own = Float64Array.from({ length: bytes }, (_, code) => (isName(code) ? this.product(names, code) : 0));
    const scores = this.scores(tokens.length, layer, query, (key) => {
      const gate = this.definition(tokens, key, seen);
      const name = gate === 0 ? 0 : this.before(tokens, key, 4, seen);
      const score = gate === 0 ? 0 : gate * (typeof name === 'number' ? own[name] : dot(own, name));
      return 2 * sharpness * (score + noDefinition * (1 - gate));
    });
    return shares(
      scores,
      (key) => tokens[key],
      (key) => this.definition(tokens, key, seen),
    );
  }

  /** How much a token counts as what a name is defined as: 1 for B in `A = B`, else 0; between where look-backs are cut. */
  private definition(tokens: Int32Array, key: number, seen: Map<number, Seen>): number {
    const sign = shareOf(this.before(tokens, key, 2, seen), (byte) => byte === equalsSign);
    const name = sign === 0 ? 0 : shareOf(this.before(tokens, key, 4, seen), isName);
    const both = 20 * (sign + name - 1);
    return both <= -20 || sign === 0 ? 0 : both / (1 + Math.exp(-both)) / 20;
  }

  /** What the head that looks back `distance` tokens sees from a token. */
  private before(tokens: Int32Array, token: number, distance: number, seen: Map<number, Seen>): Seen {
    const target = token - distance;
    if (target >= 0 && this.allows(distance - 1, token, target)) {
      return tokens[target];
    }
    const key = token * (context + 1) + distance;
    const known = seen.get(key);
    if (known !== undefined) {
      return known;
    }
    const scores = this.scores(tokens.length, distance - 1, token, (other) => 4 * sharpness * this.angle(token - other - distance));
    const made = shares(scores, (other) => tokens[other]);
    seen.set(key, made);
    return made;
  }

  /** The scores of the keys that a query sees. */
  private scores(
    tokens: number,
    layer: number,
    query: number,
    scoreOf: (key: number) => number,
  ): readonly (readonly [key: number, score: number])[] {
    const scores: (readonly [number, number])[] = [];
    for (let key = 0; key < tokens && this.pairsLeft >= 0; key += 1) {
      this.pairsLeft -= 1;
      if (this.allows(layer, query, key)) {
        scores.push([key, scoreOf(key)]);
      }
    }
    return scores;
  }

  /** The mean cosine of a rotary embedding between equal vectors `distance` tokens apart. */
  private angle(distance: number): number {
    let mean = this.angles.get(distance);
    if (mean === undefined) {
      mean = 0;
      for (let pair = 0; pair < pairs; pair += 1) {
        mean += Math.cos(distance * ropeTheta ** (-pair / pairs)) / pairs;
      }
      this.angles.set(distance, mean);
    }
    return mean;
  }

  /** The product of what was seen with the code of a byte. */
  private product(seen: Seen, code: number): number {
    return typeof seen === 'number'
      ? this.products[code * bytes + seen]
      : dot(this.products.subarray(code * bytes, (code + 1) * bytes), seen);
  }
}

function shareOf(seen: Seen, counts: (byte: number) => boolean): number {
  return typeof seen === 'number' ? Number(counts(seen)) : seen.reduce((sum, share, byte) => sum + (counts(byte) ? share : 0), 0);
}

/** Softmax weights by byte `[256]`. @param gate what a key's weight is multiplied by */
function shares(
  scores: readonly (readonly [key: number, score: number])[],
  byteOf: (key: number) => number,
  gate: (key: number) => number = () => 1,
): Float64Array {
  const high = scores.reduce((most, [, score]) => Math.max(most, score), -Infinity);
  const total = scores.reduce((sum, [, score]) => sum + Math.exp(score - high), 0);
  const byBytes = new Float64Array(bytes);
  for (const [key, score] of scores) {
    byBytes[byteOf(key)] += (Math.exp(score - high) * gate(key)) / total;
  }
  return byBytes;
}

function dot(one: ArrayLike<number>, other: ArrayLike<number>): number {
  let sum = 0;
  for (let index = 0; index < one.length; index += 1) {
    sum += one[index] * other[index];
  }
  return sum;
}

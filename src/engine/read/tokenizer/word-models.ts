import { codePoint, unitsOf } from './characters';
import type { Model } from './model';
import { PairTable } from './pair-table';
import type { TokenBuffer } from './token-buffer';

/** The texts of a vocabulary as a tree, by code unit: finds which of them a text begins with. */
export class Trie {
  private readonly children: PairTable;
  private values: Int32Array;
  private nodes = 1;

  constructor(entries: readonly (readonly [text: string, id: number])[]) {
    const units = entries.reduce((sum, [text]) => sum + text.length, 0);
    this.children = new PairTable(Math.min(units, entries.length * 3));
    this.values = new Int32Array(1024).fill(-1);
    for (const [text, id] of entries) {
      this.add(text, id);
    }
  }

  /** The node under another by a code unit; -1 if there is none. The root is 0. */
  child(node: number, unit: number): number {
    return this.children.get(node, unit);
  }

  /** The id of the text that ends at a node; -1 if none does. */
  idAt(node: number): number {
    return this.values[node];
  }

  private add(text: string, id: number): void {
    let node = 0;
    for (let at = 0; at < text.length; at += 1) {
      let child = this.children.get(node, text.charCodeAt(at));
      if (child < 0) {
        child = this.nodes;
        this.nodes += 1;
        if (child >= this.values.length) {
          const larger = new Int32Array(this.values.length * 2).fill(-1);
          larger.set(this.values);
          this.values = larger;
        }
        this.children.set(node, text.charCodeAt(at), child);
      }
      node = child;
    }
    this.values[node] = id;
  }
}

/** The Rust library's `WordLevel`: a piece is a token, or unknown. */
export class WordLevelModel implements Model {
  constructor(
    private readonly ids: ReadonlyMap<string, number>,
    private readonly unknown: number | undefined,
  ) {}

  encode(piece: string, out: TokenBuffer): void {
    const id = this.ids.get(piece) ?? this.unknown;
    if (id !== undefined) {
      out.push(id, 0);
    }
  }
}

/** The Rust library's `WordPiece` (Wu et al. 2016, arXiv:1609.08144): the longest token that fits, again and again. */
export class WordPieceModel implements Model {
  private readonly first: Trie;
  private readonly continuing: Trie;

  constructor(
    ids: ReadonlyMap<string, number>,
    private readonly unknown: number | undefined,
    continuingPrefix: string,
    private readonly longestWord: number,
  ) {
    this.first = new Trie([...ids]);
    this.continuing = new Trie(
      [...ids].filter(([token]) => token.startsWith(continuingPrefix)).map(([token, id]) => [token.slice(continuingPrefix.length), id]),
    );
  }

  encode(piece: string, out: TokenBuffer): void {
    const before = out.length;
    // Longer than that in code units is longer in characters, if not one more.
    let fits = piece.length <= this.longestWord || (piece.length <= this.longestWord * 2 && charactersOf(piece) <= this.longestWord);
    for (let from = 0; fits && from < piece.length;) {
      let node = 0;
      let id = -1;
      let to = from;
      const trie = from === 0 ? this.first : this.continuing;
      for (let at = from; at < piece.length && node >= 0;) {
        const point = codePoint(piece, at);
        for (const end = at + unitsOf(point); at < end && node >= 0; at += 1) {
          node = trie.child(node, piece.charCodeAt(at));
        }
        if (node >= 0 && trie.idAt(node) >= 0) {
          id = trie.idAt(node);
          to = at;
        }
      }
      fits = id >= 0;
      if (fits) {
        out.push(id, from);
        from = to;
      }
    }
    if (!fits) {
      out.length = before;
      if (this.unknown !== undefined) {
        out.push(this.unknown, 0);
      }
    }
  }
}

function charactersOf(text: string): number {
  let count = 0;
  for (let at = 0; at < text.length; at += unitsOf(codePoint(text, at))) {
    count += 1;
  }
  return count;
}

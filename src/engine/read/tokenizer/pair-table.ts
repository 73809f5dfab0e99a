/**
 * A hash table from pairs of non-negative integers to integers, in typed arrays: a `Map` of as many pairs takes several times
 * the memory and the time.
 */
export class PairTable {
  private first: Int32Array;
  private second: Int32Array;
  private values: Int32Array;
  private mask: number;
  private count = 0;

  /** @param expected pairs, so that it need not grow */
  constructor(expected: number) {
    const size = 2 ** Math.ceil(Math.log2(Math.max(16, expected * 2)));
    this.mask = size - 1;
    this.first = new Int32Array(size).fill(-1);
    this.second = new Int32Array(size);
    this.values = new Int32Array(size);
  }

  get size(): number {
    return this.count;
  }

  /** The value of a pair; `undefined` is too slow here, so -1 says that there is none. */
  get(a: number, b: number): number {
    const { first, second, mask } = this;
    for (let slot = hash(a, b) & mask; ; slot = (slot + 1) & mask) {
      if (first[slot] === a && second[slot] === b) {
        return this.values[slot];
      }
      if (first[slot] < 0) {
        return -1;
      }
    }
  }

  /** Sets a pair's value; the later one counts. */
  set(a: number, b: number, value: number): void {
    if (this.count * 2 >= this.first.length) {
      this.grow();
    }
    const { first, second, mask } = this;
    let slot = hash(a, b) & mask;
    while (first[slot] >= 0 && !(first[slot] === a && second[slot] === b)) {
      slot = (slot + 1) & mask;
    }
    this.count += Number(first[slot] < 0);
    first[slot] = a;
    second[slot] = b;
    this.values[slot] = value;
  }

  private grow(): void {
    const { first, second, values } = this;
    const size = first.length * 2;
    this.mask = size - 1;
    this.count = 0;
    this.first = new Int32Array(size).fill(-1);
    this.second = new Int32Array(size);
    this.values = new Int32Array(size);
    first.forEach((a, slot) => a >= 0 && this.set(a, second[slot], values[slot]));
  }
}

function hash(a: number, b: number): number {
  const mixed = Math.imul(a, 0x9e3779b1) ^ Math.imul(b + 0x7f4a7c15, 0x85ebca6b);
  return mixed ^ (mixed >>> 15);
}

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

/**
 * A `precompiled_charsmap` as SentencePiece writes it: the size of the trie in bytes, a double array (darts-clone), and the texts
 * that keys are replaced by.
 */
export function charsmapOf(entries: ReadonlyMap<string, string>): Buffer {
  const texts: Buffer[] = [];
  let written = 0;
  const root: Node = { children: new Map(), value: undefined };
  for (const [key, text] of entries) {
    let node = root;
    for (const byte of Buffer.from(key)) {
      let child = node.children.get(byte);
      if (child === undefined) {
        child = { children: new Map(), value: undefined };
        node.children.set(byte, child);
      }
      node = child;
    }
    node.value = written;
    const ended = Buffer.from(`${text}\0`);
    texts.push(ended);
    written += ended.length;
  }
  const trie = doubleArray(root);
  const size = Buffer.alloc(4);
  size.writeUInt32LE(trie.length);
  return Buffer.concat([size, trie, ...texts]);
}

interface Node {
  readonly children: Map<number, Node>;
  value: number | undefined;
}

/** Each node's children stand at its base, each xor its byte; the value at the base itself. No two nodes have one base: only bytes are checked. */
function doubleArray(root: Node): Buffer {
  const units: (number | undefined)[] = [0];
  const bases = new Set<number>();
  let free = 1;
  const waiting: { readonly node: Node; readonly at: number; readonly label: number }[] = [{ node: root, at: 0, label: 0 }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { node, at, label } = next;
    const labels = [...(node.value === undefined ? [] : [0]), ...node.children.keys()];
    while (units[free] !== undefined) {
      free += 1;
    }
    let base = free;
    while (bases.has(base) || labels.some((byte) => (base ^ byte) === 0 || units[base ^ byte] !== undefined)) {
      base += 1;
    }
    bases.add(base);
    units[at] = label + (node.value === undefined ? 0 : 0x100) + (at ^ base) * 0x400;
    if (node.value !== undefined) {
      units[base] = node.value + 2 ** 31;
    }
    for (const [byte, child] of node.children) {
      units[base ^ byte] = 0;
      waiting.push({ node: child, at: base ^ byte, label: byte });
    }
  }
  const bytes = Buffer.alloc(Math.ceil(units.length / 256) * 1024);
  units.forEach((unit, at) => bytes.writeUInt32LE(unit ?? 0, at * 4));
  return bytes;
}

/**
 * What SentencePiece's rule `nmt_nfkc` does, by JavaScript's NFKC: compatibility characters and composed sequences, white space as
 * spaces, no control characters.
 */
export function nmtNfkc(): Map<string, string> {
  const entries = new Map<string, string>();
  for (let point = 1; point < 0x20000; point += point === 0xd7ff ? 0x801 : 1) {
    const character = String.fromCodePoint(point);
    const composed = character.normalize('NFKC');
    const decomposed = character.normalize('NFD');
    if (composed !== character) {
      entries.set(character, composed);
    }
    if (decomposed !== character && decomposed.normalize('NFKC') === composed && !/[\uac00-\ud7a3]/.test(character)) {
      entries.set(decomposed, composed);
    }
    if (/[\t\n\r\u00a0\u200b-\u200f\u2028\u2029\u3000\ufeff]/.test(character)) {
      entries.set(character, ' ');
    } else if (point < 0x20 || (point >= 0x7f && point <= 0x9f)) {
      entries.set(character, '');
    }
  }
  return entries;
}

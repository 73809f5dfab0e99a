/** Attributes of an element; those that are undefined are left out. */
export type Attributes = Readonly<Record<string, string | number | undefined>>;

/** An SVG element as markup. Numbers are rounded to hundredths, so that the same drawing is always the same text. */
export function element(name: string, attributes: Attributes, ...children: readonly string[]): string {
  const written = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}="${typeof value === 'number' ? Math.round(value * 100) / 100 : escaped(value ?? '')}"`)
    .join('');
  return children.length === 0 ? `<${name}${written}/>` : `<${name}${written}>${children.join('')}</${name}>`;
}

/** Text whose baseline starts at `(x, y)`, unless `text-anchor` says otherwise. */
export function textAt(x: number, y: number, content: string, attributes: Attributes = {}): string {
  return element('text', { x, y, ...attributes }, escaped(content));
}

/** A group that is moved to `(x, y)`. */
export function movedTo(x: number, y: number, ...children: readonly string[]): string {
  return element('g', { transform: `translate(${x} ${y})` }, ...children);
}

/** Text as XML may hold it, in an element or a double-quoted attribute. */
export function escaped(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

/** Breaks text between words into lines of at most `characters`; a longer word gets a line of its own. */
export function wrapped(content: string, characters: number): string[] {
  const lines: string[] = [];
  for (const word of content.split(' ')) {
    const last = lines.length - 1;
    if (last >= 0 && lines[last].length + 1 + word.length <= characters) {
      lines[last] += ` ${word}`;
    } else {
      lines.push(word);
    }
  }
  return lines;
}

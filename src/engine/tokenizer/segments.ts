/**
 * Cuts a prompt where tokens are sure to end, so that an edit re-tokenizes one line and not a megabyte.
 *
 * A cut is made between a letter or digit and the line break or space after it. The pre-tokenizers of the GPT-2 family
 * split there whatever follows: no piece holds a letter followed by white space, and no look-behind crosses the cut.
 * Every such line break is a cut; inside long lines so is a space, at the first chance after `lineLimit` characters.
 *
 * @returns the parts; joined they are the text
 */
export function cutSegments(text: string): string[] {
  const segments: string[] = [];
  let from = 0;
  lineBreak.lastIndex = 0;
  for (let match = lineBreak.exec(text); match !== null; match = lineBreak.exec(text)) {
    pushLine(text, from, match.index + match[0].length, segments);
    from = match.index + match[0].length;
  }
  pushLine(text, from, text.length, segments);
  return segments;
}

const lineBreak = /[\p{L}\p{N}](?=\r?\n)/gu;
const wordEnd = /[\p{L}\p{N}](?= )/gu;

/** Characters after which a line is cut at the next word. */
const lineLimit = 512;

function pushLine(text: string, from: number, to: number, segments: string[]): void {
  let start = from;
  while (to - start > lineLimit) {
    wordEnd.lastIndex = start + lineLimit;
    const match = wordEnd.exec(text);
    if (match === null || match.index + match[0].length >= to) {
      break;
    }
    const end = match.index + match[0].length;
    segments.push(text.slice(start, end));
    start = end;
  }
  if (to > start) {
    segments.push(text.slice(start, to));
  }
}

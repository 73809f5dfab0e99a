/** Characters looked at on either side: a word is no longer. */
const longestWord = 64;

/** Letters and digits without a space between them that are still one word to a reader, such as an address. */
const longestRun = 40;

/** Longer lines, such as those of JSON, are not searched for code spans: that takes as long as the line is. */
const longestSearched = 2000;

/** What begins a line and is none of its words: quotes, marks of headings and lists, spaces. */
const lineMarks = /^[\s>#*+-]*$/;

const words = new Intl.Segmenter('und', { granularity: 'word' });

/**
 * Where in a line a hint can stand that belongs to a character of it, so that it parts no word, code span or row of a table: before
 * the word, or at the end of the line.
 *
 * @param character UTF-16 code units from the line's start, at most its length
 */
export function inlinePlace(line: string, character: number): number {
  if (/^\s*\|/.test(line)) {
    return line.length;
  }
  const place = wordStart(line, codeStart(line, character));
  return lineMarks.test(line.slice(0, place)) ? line.length : place;
}

/** The start of the code span around a character; the character itself where there is none. */
function codeStart(line: string, character: number): number {
  if (line.length > longestSearched) {
    return character;
  }
  for (const { index, 0: span } of line.matchAll(/(`+)(?!`).*?[^`]\1(?!`)/g)) {
    if (index < character && character < index + span.length) {
      return index;
    }
  }
  return character;
}

/** The start of the word around a character: of all between two spaces, or, in scripts without spaces, of the word that Unicode finds. */
function wordStart(line: string, character: number): number {
  const from = Math.max(0, character - longestWord);
  const before = /\S*$/.exec(line.slice(from, character))?.[0].length ?? 0;
  const after = /^\S*/.exec(line.slice(character, character + longestWord))?.[0].length ?? 0;
  if (before === 0 || after === 0) {
    return character;
  }
  if (before + after <= longestRun) {
    return character - before;
  }
  const around = words.segment(line.slice(from, character + longestWord)).containing(character - from);
  return around?.isWordLike === true ? from + around.index : character;
}

/** What would break a line, steer a terminal or turn the direction of text: control, format and separator characters, halves of pairs. */
const unseen = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** Text with every character that cannot be seen written out, such as `\u{202e}`: one line that reads as it is. */
export function visible(text: string): string {
  return text.replace(unseen, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}

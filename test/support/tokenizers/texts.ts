/** What makes tokenizing hard, by kind of text. */
const kinds: readonly (readonly string[])[] = [
  ['The ', 'quick ', 'brown', " fox's", " DON'T", " we'll", ' ', '.', ', ', '\n', '\n\n', 'word', 'XMLHttp', 'iPhone ', '#', '*'],
  ['的', '一是', '不了', '人', '。', '，', '你好世界', '\n', '、', '中文字符', '１２'],
  ['日本語', 'の', 'テキスト', '。', 'ｶﾞ', 'ー', 'です', '「', '」', '\n', '今日は'],
  ['ภาษา', 'ไทย', 'ไม่มี', 'ช่อง', 'ว่าง', ' ', 'ก', '่', '\n'],
  ['👍🏽', '👨‍👩‍👧‍👦', '🦜', '\u200d', '\ufe0f', '🇩🇪', ' ', 'a', '\ud83d', '\udc4d', '\ud800'],
  ['{"a":1,', '"key":', '[1,2,3]', '{"n":null}', 'true', '-1.5e10', '\\n', '"', '}', ']', ':', '{'],
  ['QUJD', 'REVG', 'R0hJ', '+/', 'SktM', '==', 'aGVsbG8', '9', 'Zm9v'],
  ['1,', '2.5,', 'foo,', '"bar, baz",', '\n', '\r\n', '-3e10', ';', '2024-01-01', ',,', '1234567890'],
  [' ', '  ', '\t', '\n', '\r\n', '\u00a0', '\u3000', '\u2028', '\f', '\v', '         ', '\n\n\n', '\r', 'x'],
  [
    'é',
    'e\u0301',
    'n\u0303',
    '\u0301',
    'ﬁ',
    '½',
    'Å',
    '각',
    '\u1112\u1161',
    '\u11ab',
    'İ',
    'ΑΣ',
    'ß',
    'ǅ',
    'ʰ',
    '٣',
    'ⅷ',
    'ǆa',
    'x²',
    '\u0378',
  ],
  [
    '<s>',
    '</s>',
    '<|endoftext|>',
    '<|im_start|>',
    '<mask>',
    ' <mask> ',
    '[MASK]',
    '<r>',
    '  word',
    'zqz',
    'zqz ',
    '<bos>',
    '<unk>',
    '<0x0A>',
    '▁',
    ' a',
    'b ',
  ],
];

/** A deterministic source of choices. @param next numbers from 0 to below 1 */
export class TextMaker {
  constructor(private readonly next: () => number) {}

  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  /** Text of one kind, or of all mixed. */
  text(pieces: number): string {
    const isMixed = this.next() < 0.3;
    const kind = kinds[this.below(kinds.length)];
    return Array.from({ length: pieces }, () => {
      const from = isMixed ? kinds[this.below(kinds.length)] : kind;
      const piece = from[this.below(from.length)];
      return this.next() < 0.02 ? piece.repeat(this.below(30)) : piece;
    }).join('');
  }

  /** The text after one edit: something typed, pasted, removed or replaced, or moved to the end. */
  edit(text: string): string {
    const at = this.below(text.length + 1);
    const removed = this.next() < 0.5 ? this.below(this.next() < 0.15 ? 200 : 5) : 0;
    const typed = this.next() < 0.75 ? this.text(this.next() < 0.1 ? 40 : 1 + this.below(2)) : '';
    return text.slice(0, at) + typed + text.slice(at + removed);
  }
}

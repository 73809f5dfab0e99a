/** CommonMark 0.31.2, section 4.6: how an HTML block begins and, where no blank line ends it, how its last line looks. */
interface HtmlBlockRule {
  readonly start: RegExp;
  readonly end: RegExp | null;
  readonly interruptsParagraph: boolean;
}

const blockTags =
  'address|article|aside|base|basefont|blockquote|body|caption|center|col|colgroup|dd|details|dialog|dir|div|dl|dt|fieldset|figcaption|figure|footer|form|frame|frameset|h[1-6]|head|header|hr|html|iframe|legend|li|link|main|menu|menuitem|nav|noframes|ol|optgroup|option|p|param|search|section|summary|table|tbody|td|tfoot|th|thead|title|tr|track|ul';
const attribute = '\\s+[A-Za-z_:][\\w.:-]*(?:\\s*=\\s*(?:[^\\s"\'=<>`]+|\'[^\']*\'|"[^"]*"))?';

const rules: readonly HtmlBlockRule[] = [
  { start: /^<(?:script|pre|style|textarea)(?=\s|>|$)/i, end: /<\/(?:script|pre|style|textarea)>/i, interruptsParagraph: true },
  { start: /^<!--/, end: /-->/, interruptsParagraph: true },
  { start: /^<\?/, end: /\?>/, interruptsParagraph: true },
  { start: /^<![A-Za-z]/, end: />/, interruptsParagraph: true },
  { start: /^<!\[CDATA\[/, end: /\]\]>/, interruptsParagraph: true },
  { start: new RegExp(`^</?(?:${blockTags})(?=\\s|/?>|$)`, 'i'), end: null, interruptsParagraph: true },
  { start: new RegExp(`^(?:<[A-Za-z][\\w-]*(?:${attribute})*\\s*/?>|</[A-Za-z][\\w-]*\\s*>)\\s*$`), end: null, interruptsParagraph: false },
];

/** An HTML block that is open: it ends with a line that matches, or before a blank one. */
export interface HtmlBlock {
  readonly end: RegExp | null;
}

/** The HTML block that a line without its indentation begins. It may be its last line too. */
export function htmlBlockAt(line: string, inParagraph: boolean): HtmlBlock | undefined {
  return rules.find(({ start, interruptsParagraph }) => (interruptsParagraph || !inParagraph) && start.test(line));
}

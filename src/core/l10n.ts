/** Translations by English text, set once if the editor uses another language; empty on the command line. */
let translations: ReadonlyMap<string, string> = new Map();

/** Those of them that are sentences or clauses, once asked for. */
let sentences: readonly string[] | undefined;

/**
 * Sets the language of `t`.
 *
 * @param bundle translations by English text, as VS Code reads them from `l10n/bundle.l10n.<language>.json`; other values
 * are ignored
 */
export function setTranslations(bundle: unknown): void {
  const entries = typeof bundle === 'object' && bundle !== null ? Object.entries(bundle) : [];
  translations = new Map(entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
  sentences = undefined;
}

/** Calls `make` in English: for files, log lines, and texts for language models. */
export function inEnglish<T>(make: () => T): T {
  const kept = translations;
  translations = new Map();
  try {
    return make();
  } finally {
    translations = kept;
  }
}

/**
 * Marks a text in plain data for translation: it stays English until `t` shows it.
 *
 * Texts for language models, files and the command line are never translated; they use it as is.
 */
export function text(english: string): string {
  return english;
}

/** Marks a text that is filled in at once, in English, for `messageShown`, where it is not itself what an error says. */
export function said(words: TemplateStringsArray, ...values: readonly (string | number)[]): string {
  return String.raw({ raw: words }, ...values);
}

/** A text with its values, in English: what is made where no language is known, such as in the engine process. */
export function english(message: string, ...values: readonly (string | number)[]): string {
  return message.replace(/\{(\d+)\}/g, (hole, index: string) => String(values[Number(index)] ?? hole));
}

/**
 * What was made in English of one of some texts, in the editor's language, its values too where they are put together of such texts;
 * anything else as it is.
 *
 * @param messages English, with `{0}`, `{1}` for values; of those that fit, the one of most words counts
 */
export function localised(made: string, messages: readonly string[]): string {
  let found: { readonly message: string; readonly letters: number; readonly values: readonly string[] } | undefined;
  for (const message of translations.size === 0 ? [] : messages) {
    const template = templateOf(message);
    const values = template.letters > (found?.letters ?? -1) ? valuesIn(made, template) : undefined;
    found = values === undefined ? found : { message, letters: template.letters, values };
  }
  return found === undefined ? made : t(found.message, ...found.values.map((value) => inParts(value, messages)));
}

/**
 * What an error says, or a note of a report, in the editor's language. They are made in English, where no language is known; what is
 * put together of several texts by a colon, semicolon or comma is found text by text.
 */
export function messageShown(made: string): string {
  if (translations.size === 0) {
    return made;
  }
  const known = (sentences ??= [...translations.keys()].filter((message) => isSentence(message) || isCount(message)));
  return inParts(made, known);
}

/** Most parts of what is put together: what people wrote, such as a mask, has any number of commas. */
const mostParts = 20;

/** A text in the editor's language as a whole, or else part by part, of which as many together as are one text. */
function inParts(made: string, messages: readonly string[]): string {
  const whole = localised(made, messages);
  // Every other one is what stands between two parts.
  const parts = made.split(/(: |; |, |\.$)/);
  if (whole !== made || parts.length === 1 || parts.length > 2 * mostParts) {
    return whole;
  }
  let shown = '';
  for (let from = 0; from < parts.length;) {
    let to = parts.length;
    let found: string;
    do {
      const together = parts.slice(from, to).join('');
      found = localised(together, messages);
      if (found !== together) {
        break;
      }
      to -= 2;
    } while (to > from);
    to = Math.max(to, from + 1);
    shown += found + (parts[to] ?? '');
    from = to + 1;
  }
  return shown;
}

/** Whether a text says enough beside its values to be known by that: two words. */
export function isSentence(message: string): boolean {
  return /\p{L}\P{L}*\s\P{L}*\p{L}/u.test(message.replace(/\{\d+\}/g, ''));
}

/** Whether a text is a number of things, such as `{0} tokens`, or one with a digit in its name, such as `{0} rounding` of float32. */
function isCount(message: string): boolean {
  return /^\{0\} \p{L}+$/u.test(message);
}

/** How a text is found again once its values are filled in. */
interface Template {
  /** How many characters it has beside its values. */
  readonly letters: number;
  /** What it says before, between and after its values. */
  readonly words: readonly string[];
  /** Which value stands after each of these words but the last. */
  readonly order: readonly number[];
  /** Whether its value has a digit and no space: see {@link isCount}. */
  readonly counts: boolean;
}

const templates = new Map<string, Template>();

function templateOf(message: string): Template {
  let template = templates.get(message);
  if (template === undefined) {
    const parts = message.split(/\{(\d+)\}/);
    const words = parts.filter((_, index) => index % 2 === 0);
    const order = parts.filter((_, index) => index % 2 === 1).map(Number);
    template = { letters: words.join('').length, words, order, counts: isCount(message) };
    templates.set(message, template);
  }
  return template;
}

/**
 * The values from which a text was made of a message, each as short as it can be; undefined where it was not. One look from left to
 * right: what people write is in messages, and a regular expression would try every way to part a long one.
 */
function valuesIn(made: string, { words, order, counts }: Template): string[] | undefined {
  const last = words.at(-1) ?? '';
  const end = made.length - last.length;
  if (!made.startsWith(words[0]) || !made.endsWith(last)) {
    return undefined;
  }
  const values: string[] = [];
  let from = words[0].length;
  for (const [index, place] of order.entries()) {
    const to = index === order.length - 1 ? end : made.indexOf(words[index + 1], from);
    if (to < from || to > end) {
      return undefined;
    }
    values[place] = made.slice(from, to);
    from = to + words[index + 1].length;
  }
  return (order.length > 0 || made === words[0]) && (!counts || /^\S*\d\S*$/.test(values[0])) ? values : undefined;
}

/**
 * A text in the editor's language. Call it when the text is shown: constants are created before the language is known.
 *
 * @param message English, with `{0}`, `{1}` for values; the key of its translation, so always a whole sentence
 */
export function t(message: string, ...values: readonly (string | number)[]): string {
  return english(translations.get(message) ?? message, ...values);
}

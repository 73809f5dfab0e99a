/** Translations by English text, set once if the editor uses another language; empty on the command line. */
let translations: ReadonlyMap<string, string> = new Map();

/**
 * Sets the language of `t`.
 *
 * @param bundle translations by English text, as VS Code reads them from `l10n/bundle.l10n.<language>.json`; other values
 * are ignored
 */
export function setTranslations(bundle: unknown): void {
  const entries = typeof bundle === 'object' && bundle !== null ? Object.entries(bundle) : [];
  translations = new Map(entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
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

/** A text with its values, in English: what is made where no language is known, such as in the engine process. */
export function english(message: string, ...values: readonly (string | number)[]): string {
  return message.replace(/\{(\d+)\}/g, (hole, index: string) => String(values[Number(index)] ?? hole));
}

/**
 * What `english` made of one of some texts, in the editor's language, its values too where they are such texts; anything else as it is.
 *
 * @param messages English, with `{0}`, `{1}` for values; of those that fit, the longest counts
 */
export function localised(made: string, messages: readonly string[]): string {
  let found: { readonly message: string; readonly values: readonly string[] } | undefined;
  for (const message of translations.size === 0 ? [] : messages) {
    const values = message.length > (found?.message.length ?? 0) ? valuesIn(made, message) : undefined;
    found = values === undefined ? found : { message, values };
  }
  return found === undefined ? made : t(found.message, ...found.values.map((value) => localised(value, messages)));
}

/** The values from which `english` made a text of a message; undefined where it did not. */
function valuesIn(made: string, message: string): string[] | undefined {
  const parts = message.split(/\{(\d+)\}/);
  const pattern = parts.map((part, index) => (index % 2 === 0 ? part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&') : '([^]*?)')).join('');
  const groups = new RegExp(`^${pattern}$`).exec(made)?.slice(1);
  const values: string[] = [];
  groups?.forEach((group, index) => (values[Number(parts[2 * index + 1])] = group));
  return groups && values;
}

/**
 * A text in the editor's language. Call it when the text is shown: constants are created before the language is known.
 *
 * @param message English, with `{0}`, `{1}` for values; the key of its translation, so always a whole sentence
 */
export function t(message: string, ...values: readonly (string | number)[]): string {
  return english(translations.get(message) ?? message, ...values);
}

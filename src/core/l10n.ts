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

/**
 * A text in the editor's language. Call it when the text is shown: constants are created before the language is known.
 *
 * @param message English, with `{0}`, `{1}` for values; the key of its translation, so always a whole sentence
 */
export function t(message: string, ...values: readonly (string | number)[]): string {
  return (translations.get(message) ?? message).replace(/\{(\d+)\}/g, (hole, index: string) => String(values[Number(index)] ?? hole));
}

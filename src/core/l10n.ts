/** Translations by their English, set once where an editor speaks another language; none on the command line. */
let translations: ReadonlyMap<string, string> = new Map();

/**
 * Sets the language of `t`.
 *
 * @param bundle translations by their English, as VS Code reads them from `l10n/bundle.l10n.<language>.json`; what is no text is left out
 */
export function setTranslations(bundle: unknown): void {
  const entries = typeof bundle === 'object' && bundle !== null ? Object.entries(bundle) : [];
  translations = new Map(entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
}

/** What `make` returns, made in English: files that others read, log lines, and what language models are told. */
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
 * Marks a text of plain data that is shown later, by `t`: it stays English until then.
 *
 * A language model's, a file's and the command line's texts are never translated, so they take it as it is.
 */
export function text(english: string): string {
  return english;
}

/**
 * A text in the editor's language. Ask for it when it is shown: a constant of a module is made before the language is known.
 *
 * @param message English, with `{0}`, `{1}` for what is filled in; the key of its translation, so no text is made up of pieces
 */
export function t(message: string, ...values: readonly (string | number)[]): string {
  return (translations.get(message) ?? message).replace(/\{(\d+)\}/g, (hole, index: string) => String(values[Number(index)] ?? hole));
}

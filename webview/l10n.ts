/** Translations of the page's texts by their English, which the host wrote into the page; empty in English. */
const translations = translationsOf(document.getElementById('app')?.dataset.translations);

/**
 * A text in the editor's language.
 *
 * @param message English, with `{0}`, `{1}` for what is filled in; the key of its translation, so no text is made up of pieces
 */
export function t(message: string, ...values: readonly (string | number)[]): string {
  return (translations.get(message) ?? message).replace(/\{(\d+)\}/g, (hole, index: string) => String(values[Number(index)] ?? hole));
}

function translationsOf(text: string | undefined): ReadonlyMap<string, string> {
  const parsed: unknown = JSON.parse(text ?? '{}');
  const entries = typeof parsed === 'object' && parsed !== null ? Object.entries(parsed) : [];
  return new Map(entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
}

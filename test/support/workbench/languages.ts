import type * as vscode from 'vscode';
import type { FakeDocument } from './documents';
import { CancellationTokenSource, Disposable, onReset, once } from './events';

/** What is asked of a provider here: a pattern of everything, or a language. */
interface Filter {
  readonly language?: string;
  readonly pattern?: string;
}

interface Registered<T> {
  readonly filter: Filter;
  readonly provider: T;
}

const lenses = new Set<Registered<vscode.CodeLensProvider>>();
const hints = new Set<Registered<vscode.InlayHintsProvider>>();
const hovers = new Set<Registered<vscode.HoverProvider>>();
onReset(() => [lenses, hints, hovers].forEach((set) => set.clear()));

const registerer =
  <T>(set: Set<Registered<T>>) =>
  (filter: Filter, provider: T): Disposable => {
    if (filter.pattern !== undefined && filter.pattern !== '**') {
      throw new Error(`The workbench knows no pattern ${filter.pattern}`);
    }
    const own = { filter, provider };
    set.add(own);
    return new Disposable(() => set.delete(own));
  };

export const registerCodeLensProvider = registerer(lenses);
export const registerInlayHintsProvider = registerer(hints);
export const registerHoverProvider = registerer(hovers);

function providersOf<T>(set: ReadonlySet<Registered<T>>, { languageId }: FakeDocument): T[] {
  return [...set].filter(({ filter }) => filter.language === undefined || filter.language === languageId).map(({ provider }) => provider);
}

const token = new CancellationTokenSource().token;

/** The lenses that an editor would show. */
export async function codeLenses(document: FakeDocument): Promise<vscode.CodeLens[]> {
  const found = await Promise.all(providersOf(lenses, document).map(async (provider) => provider.provideCodeLenses(document, token)));
  return found.flatMap((some) => some ?? []);
}

/** The lenses of a document once there are any: with its plan, or with why there is none. */
export async function shownLenses(document: FakeDocument): Promise<string[]> {
  for (;;) {
    const refreshed = lensesRefreshed();
    const found = await codeLenses(document);
    if (found.length > 0) {
      return found.map(({ command }) => command?.title ?? '');
    }
    await refreshed;
  }
}

/** Resolves when lenses ask to be drawn again: after each plan. */
export function lensesRefreshed(): Promise<void> {
  const [{ provider }] = lenses;
  if (provider.onDidChangeCodeLenses === undefined) {
    throw new Error('The lenses never change');
  }
  return once(provider.onDidChangeCodeLenses);
}

/** The hints that an editor would show in a range. */
export async function inlayHints(document: FakeDocument, range: vscode.Range): Promise<vscode.InlayHint[]> {
  const found = await Promise.all(providersOf(hints, document).map(async (provider) => provider.provideInlayHints(document, range, token)));
  return found.flatMap((some) => some ?? []);
}

/** What an editor would show over a place. */
export async function hoversAt(document: FakeDocument, position: vscode.Position): Promise<string[]> {
  const found = await Promise.all(providersOf(hovers, document).map(async (provider) => provider.provideHover(document, position, token)));
  return found.flatMap((hover) => (hover?.contents ?? []) as vscode.MarkdownString[]).map(({ value }) => value);
}

/** How often the lenses, or the hints, asked to be drawn again since this was called. */
export function refreshes(kind: 'lenses' | 'hints'): { readonly count: number } {
  const counted = { count: 0 };
  const count = (): void => void (counted.count += 1);
  if (kind === 'lenses') {
    lenses.forEach(({ provider }) => provider.onDidChangeCodeLenses?.(count));
  } else {
    hints.forEach(({ provider }) => provider.onDidChangeInlayHints?.(count));
  }
  return counted;
}

/** How many providers are registered. */
export function providerCount(): number {
  return lenses.size + hints.size + hovers.size;
}

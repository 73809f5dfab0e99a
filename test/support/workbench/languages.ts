import type * as vscode from 'vscode';
import { minimatch } from 'minimatch';
import type { FakeDocument } from './documents';
import { CancellationTokenSource, Disposable, onReset, once } from './events';
import type { RelativePattern } from './values';
import { CodeActionTriggerKind } from './values';

/** What is asked of a document: a language, a pattern, or both. */
interface Filter {
  readonly language?: string;
  readonly pattern?: string | RelativePattern;
}

/** How well a document fits, as an editor scores it: 10 where it does, 5 where everything would, else 0. */
export function match(selector: string | Filter | readonly (string | Filter)[], { uri, languageId }: vscode.TextDocument): number {
  const score = (filter: string | Filter): number => {
    if (typeof filter === 'string') {
      return filter === languageId ? 10 : filter === '*' ? 5 : 0;
    }
    const { language, pattern } = filter;
    const fits = (language === undefined || language === languageId) && (pattern === undefined || matchesPath(pattern, uri.fsPath));
    return fits ? 10 : 0;
  };
  return Math.max(0, ...(Array.isArray(selector) ? selector : [selector]).map(score));
}

/** Heeds case, and finds what begins with a dot. */
function matchesPath(pattern: string | RelativePattern, path: string): boolean {
  if (typeof pattern === 'string') {
    return minimatch(path, pattern, { dot: true });
  }
  const base = pattern.base.replace(/\/?$/, '/');
  return path.startsWith(base) && minimatch(path.slice(base.length), pattern.pattern, { dot: true });
}

interface Registered<T> {
  readonly filter: Filter;
  readonly provider: T;
}

const lenses = new Set<Registered<vscode.CodeLensProvider>>();
const hints = new Set<Registered<vscode.InlayHintsProvider>>();
const hovers = new Set<Registered<vscode.HoverProvider>>();
const actions = new Set<Registered<vscode.CodeActionProvider>>();
onReset(() => [lenses, hints, hovers, actions].forEach((set) => set.clear()));

const registerer =
  <T>(set: Set<Registered<T>>) =>
  (filter: Filter, provider: T): Disposable => {
    const own = { filter, provider };
    set.add(own);
    return new Disposable(() => set.delete(own));
  };

export const registerCodeLensProvider = registerer(lenses);
export const registerInlayHintsProvider = registerer(hints);
export const registerHoverProvider = registerer(hovers);
export const registerCodeActionsProvider = registerer(actions);

function providersOf<T>(set: ReadonlySet<Registered<T>>, document: FakeDocument): T[] {
  return [...set].filter(({ filter }) => match(filter, document) > 0).map(({ provider }) => provider);
}

const token = new CancellationTokenSource().token;

/** The lenses that an editor would show. */
export async function codeLenses(document: FakeDocument): Promise<vscode.CodeLens[]> {
  const found = await Promise.all(providersOf(lenses, document).map(async (provider) => provider.provideCodeLenses(document, token)));
  return found.flatMap((some) => some ?? []);
}

/** What the lenses of a document tell once there are any: line by line the hover of the one that has the plan's figures, or why there is none. */
export async function shownLenses(document: FakeDocument): Promise<string[]> {
  for (;;) {
    const refreshed = lensesRefreshed();
    const found = await codeLenses(document);
    if (found.length > 0) {
      const { title = '', tooltip = '' } = found.at(-1)?.command ?? {};
      return found.length === 1 ? [title] : tooltip.split('\n\n');
    }
    await refreshed;
  }
}

/** Resolves when the lenses of prompts ask to be drawn again: after each plan. */
export function lensesRefreshed(): Promise<void> {
  const provider = [...lenses].find(({ filter }) => filter.pattern === '**')?.provider;
  if (provider?.onDidChangeCodeLenses === undefined) {
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

/** The actions that an editor would offer at the start of a document: where the user asks for them, or by itself in a light bulb. */
export async function codeActions(
  document: FakeDocument,
  triggerKind: vscode.CodeActionTriggerKind = CodeActionTriggerKind.Invoke,
  diagnostics: readonly vscode.Diagnostic[] = [],
): Promise<vscode.CodeAction[]> {
  const context = { triggerKind, diagnostics, only: undefined };
  const found = await Promise.all(
    providersOf(actions, document).map(async (provider) => provider.provideCodeActions(document, document.lineAt(0).range, context, token)),
  );
  return found.flatMap((some) => some ?? []) as vscode.CodeAction[];
}

/** How often the lenses of prompts, or the hints, asked to be drawn again since this was called. */
export function refreshes(kind: 'lenses' | 'hints'): { readonly count: number } {
  const counted = { count: 0 };
  const count = (): void => void (counted.count += 1);
  if (kind === 'lenses') {
    lenses.forEach(({ filter, provider }) => filter.pattern === '**' && provider.onDidChangeCodeLenses?.(count));
  } else {
    hints.forEach(({ provider }) => provider.onDidChangeInlayHints?.(count));
  }
  return counted;
}

/** How many providers are registered. */
export function providerCount(): number {
  return lenses.size + hints.size + hovers.size + actions.size;
}

import * as vscode from 'vscode';
import { formatOf, isProgram } from '../../core/source/format';
import type { PromptSource } from '../../core/source/options';
import { CancelledError, errorShown } from '../../core/errors';
import { followedBy, type TextEdit } from '../../core/text/edits';
import type { Section } from '../../core/text/headings';
import type { ChoiceStore } from '../choice';
import { Disposable } from '../disposable';
import { settingsSection } from '../settings';
import type { Calibrations } from './calibrations';
import type { Scenario } from '../../core/scenario/scenario';
import type { PromptCosts } from '../../engine/process/open-prompt';
import type { Notebooks, PromptDocument } from './notebooks';
import type { Planner } from './planner';
import type { PromptDocuments } from './prompt-documents';
import { type PlannedText, SentPrompt, sourceIn } from './sent-prompt';

/** Delays after a keystroke, in milliseconds. */
const pauseMs = { quick: 5, slow: 100 } as const;
const quickUpdateMs = 30;

/**
 * Delay between a keystroke and the next plan, in milliseconds: short if the last update was quick, so that hints keep up
 * with typing; longer if it was slow, so that typing stays smooth.
 */
function typingPause(lastUpdateMs: number): number {
  return lastUpdateMs <= quickUpdateMs ? pauseMs.quick : pauseMs.slow;
}

/**
 * How far figures may lag behind their text before they are marked as stale, in milliseconds: a mark at every keystroke
 * would flicker, and nobody reads figures that fast.
 */
const staleAfterMs = 250;

/** Tracks whether something has been outdated for long, from its first change until it is up to date again. */
class Lag {
  private timer: NodeJS.Timeout | undefined;
  private long = false;

  constructor(private readonly onTurnStale: () => void) {}

  get isStale(): boolean {
    return this.long;
  }

  /** Something changed; further changes do not delay the mark. */
  begin(): void {
    this.timer ??= setTimeout(() => {
      this.long = true;
      this.onTurnStale();
    }, staleAfterMs);
  }

  /** Everything is up to date. */
  end(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.long = false;
  }
}

/** A prompt document and its latest plan. */
export type PromptPlan =
  | (PlannedText & {
      readonly version: number;
      /** Edits to the document since that version; positions from the plan are shifted by them. */
      readonly edits: readonly TextEdit[];
      readonly error: null;
    })
  | { readonly version: number; readonly error: string };

/** State of an open prompt. */
interface Entry {
  readonly sent: SentPrompt;
  readonly lag: Lag;
  timer: NodeJS.Timeout | undefined;
  /** Ends the update that is under way: a later one is wanted. */
  update: AbortController | undefined;
  eol: vscode.EndOfLine;
  latest: PromptPlan | undefined;
  /** What the latest plan costs beside other scenarios, once it was asked for. */
  costs: { readonly plan: PromptPlan; readonly costs: PromptCosts | null } | undefined;
  asked: PromptPlan | undefined;
  /** Edits since `latest`. */
  edits: TextEdit[];
  /** Duration of the last finished update. */
  lastUpdateMs: number;
}

/**
 * Plans open prompts, again whenever their text, the choice or the model changes.
 *
 * Lenses, hints, hovers, the status bar item and the panel all use these plans.
 */
export class PromptPlans extends Disposable {
  private readonly changed = this.own(new vscode.EventEmitter<PromptDocument>());
  /** Fires when a document has a new plan. */
  readonly onDidChange = this.changed.event;
  private readonly foundCosts = this.own(new vscode.EventEmitter<PromptDocument>());
  /** Fires when the costs of a document's plan are known. */
  readonly onDidFindCosts = this.foundCosts.event;
  private readonly turnedStale = this.own(new vscode.EventEmitter<PromptDocument>());
  /** Fires when a document's figures become stale. */
  readonly onDidTurnStale = this.turnedStale.event;
  private readonly entries = new Map<PromptDocument, Entry>();

  constructor(
    private readonly prompts: PromptDocuments,
    private readonly choices: ChoiceStore,
    private readonly planner: Planner,
    calibrations: Calibrations,
    notebooks: Notebooks,
  ) {
    super();
    this.own(vscode.workspace.onDidChangeTextDocument((event) => this.edited(event)));
    this.own(vscode.workspace.onDidCloseTextDocument((document) => this.forget(document)));
    this.own(notebooks.onDidChange((notebook) => this.rewritten(notebook)));
    this.own(notebooks.onDidClose((notebook) => this.forget(notebook)));
    this.own(vscode.window.onDidChangeTextEditorSelection(({ textEditor }) => this.moved(textEditor)));
    this.own(prompts.onDidChange((document) => document !== undefined && this.said(document)));
    this.own(choices.onDidChange(() => this.scheduleAll()));
    this.own(calibrations.onDidChange(() => this.scheduleAll()));
    // A model refused before may be loaded now.
    this.own(vscode.workspace.onDidGrantWorkspaceTrust(() => this.scheduleAll()));
    this.own(vscode.workspace.onDidChangeConfiguration((event) => event.affectsConfiguration(settingsSection) && this.scheduleAll()));
  }

  /** The latest plan of a document. The first call for a document starts its planning. */
  get(document: PromptDocument): PromptPlan | undefined {
    // A late request for a closed document would create an entry that is never removed.
    if (!this.prompts.isPrompt(document) || document.isClosed) {
      return undefined;
    }
    const entry = this.entries.get(document);
    if (entry === undefined) {
      this.schedule(document, 0);
    }
    return entry?.latest;
  }

  /**
   * What the latest plan of a document costs beside other scenarios; undefined where there is no plan, and until it is
   * known, which `onDidFindCosts` tells.
   */
  costs(document: PromptDocument): PromptCosts | undefined {
    const entry = this.entries.get(document);
    const latest = entry?.latest;
    if (entry === undefined || latest === undefined || latest.error !== null) {
      return undefined;
    }
    if (entry.costs?.plan !== latest && entry.asked !== latest) {
      entry.asked = latest;
      void this.findCosts(document, entry, latest);
    }
    return entry.costs?.plan === latest ? (entry.costs.costs ?? undefined) : undefined;
  }

  /** How a prompt is read from a document that keeps it. */
  sourceOf(document: PromptDocument): PromptSource {
    return this.entries.get(document)?.sent.source ?? sourceIn(document, cursorIn(document));
  }

  /** Whether the figures of the latest plan have been outdated long enough to be marked. */
  isStale(document: PromptDocument): boolean {
    return this.entries.get(document)?.lag.isStale ?? false;
  }

  override dispose(): void {
    for (const document of [...this.entries.keys()]) {
      this.forget(document);
    }
    super.dispose();
  }

  private edited({ document, contentChanges }: vscode.TextDocumentChangeEvent): void {
    const entry = this.entries.get(document);
    if (entry === undefined) {
      return;
    }
    // Other line ends are other characters, of which the event tells nothing else.
    if (document.eol !== entry.eol) {
      entry.eol = document.eol;
      entry.sent.forget();
      this.schedule(document, 0);
    }
    // This event also fires on save, without changes.
    if (contentChanges.length > 0) {
      entry.sent.changed(contentChanges);
      const later = contentChanges.map(({ rangeOffset, rangeLength, text }) => ({
        offset: rangeOffset,
        removed: rangeLength,
        inserted: text.length,
      }));
      // The plan holds the same list.
      entry.edits.splice(0, entry.edits.length, ...followedBy(entry.edits, later));
      this.schedule(document, typingPause(entry.lastUpdateMs));
    }
  }

  /** A notebook changed: nothing tells which part of its text. */
  private rewritten(notebook: PromptDocument): void {
    const entry = this.entries.get(notebook);
    if (entry !== undefined) {
      entry.sent.forget();
      this.schedule(notebook, typingPause(entry.lastUpdateMs));
    }
  }

  /** The cursor moved: in a program, the literal that holds it is the prompt. */
  private moved({ document, selection }: vscode.TextEditor): void {
    const entry = this.entries.get(document);
    // Offsets take time in a long text, and only programs need them.
    if (entry?.sent.hasLiterals === true && entry.sent.moved(document.offsetAt(selection.active))) {
      this.schedule(document, 0);
    }
  }

  /** A document became a prompt, or ceased to be one: what was shown of it is asked for again. */
  private said(document: PromptDocument): void {
    if (!this.prompts.isPrompt(document)) {
      this.forget(document);
    }
    this.changed.fire(document);
  }

  private scheduleAll(): void {
    for (const document of [...this.entries.keys()]) {
      if (this.prompts.isPrompt(document)) {
        this.schedule(document, 0);
      } else {
        this.said(document);
      }
    }
  }

  private schedule(document: PromptDocument, pauseMs: number): void {
    const entry = this.entries.get(document) ?? this.open(document);
    clearTimeout(entry.timer);
    entry.update?.abort();
    entry.timer = setTimeout(() => void this.update(document, entry), pauseMs);
    entry.lag.begin();
  }

  private open(document: PromptDocument): Entry {
    const lag = new Lag(() => this.turnedStale.fire(document));
    const entry: Entry = {
      sent: new SentPrompt(document, cursorIn(document)),
      lag,
      timer: undefined,
      update: undefined,
      eol: document.eol,
      latest: undefined,
      costs: undefined,
      asked: undefined,
      edits: [],
      lastUpdateMs: 0,
    };
    this.entries.set(document, entry);
    return entry;
  }

  private async update(document: PromptDocument, entry: Entry): Promise<void> {
    const update = new AbortController();
    entry.update = update;
    const { version } = document;
    const start = performance.now();
    const edits: TextEdit[] = [];
    const latest = await this.planner.plan(entry.sent, update.signal).then(
      (planned): PromptPlan => ({ ...planned, version, edits, error: null }),
      (error: unknown): PromptPlan | undefined => (error instanceof CancelledError ? undefined : { version, error: errorShown(error) }),
    );
    if (latest !== undefined && !update.signal.aborted) {
      entry.latest = latest;
      // Every edit requests its own update: this is the latest, so the document was not edited since.
      entry.edits = edits;
      entry.lag.end();
      entry.lastUpdateMs = performance.now() - start;
      this.changed.fire(document);
    }
  }

  /** Scenarios beside that of a document's plan that have a quality; none where it is not planned. */
  async evaluated(document: PromptDocument): Promise<readonly Scenario[]> {
    const entry = this.entries.get(document);
    return entry === undefined ? [] : this.planner.evaluated(entry.sent, this.choices.choice.parameters);
  }

  /** The sections of a document that take most of its attention, the largest first; none where it is not planned. */
  async sections(document: PromptDocument, most: number): Promise<readonly Section[]> {
    const entry = this.entries.get(document);
    return entry === undefined ? [] : this.planner.sections(entry.sent, most);
  }

  private async findCosts(document: PromptDocument, entry: Entry, plan: PromptPlan): Promise<void> {
    const { signal } = entry.update ?? new AbortController();
    try {
      const costs = await this.planner.costs(entry.sent, this.choices.choice.parameters, signal);
      if (entry.latest === plan) {
        const before = entry.costs?.costs;
        // What did not change stays the same object: it is not sent to the page again.
        const same = costs !== null && before?.curvesKey === costs.curvesKey;
        entry.costs = { plan, costs: same ? { ...costs, curves: before.curves } : costs };
        this.foundCosts.fire(document);
      }
    } catch (error) {
      // A later plan has costs of its own.
      if (!(error instanceof CancelledError)) {
        throw error;
      }
    }
  }

  private forget(document: PromptDocument): void {
    const entry = this.entries.get(document);
    if (entry !== undefined) {
      clearTimeout(entry.timer);
      entry.update?.abort();
      entry.lag.end();
      this.planner.close(entry.sent);
      this.entries.delete(document);
    }
  }
}

/** Where the cursor is in a program that is in front; undefined for other documents, whose prompt does not depend on it. */
function cursorIn(document: PromptDocument): number | undefined {
  const editor = vscode.window.activeTextEditor;
  return editor?.document === document && isProgram(formatOf(document.uri.path, document.languageId))
    ? editor.document.offsetAt(editor.selection.active)
    : undefined;
}

import * as vscode from 'vscode';
import { blockArithmetic, blockCost, blockLabel, markStale, staleNote } from '../../core/hints/hints';
import { rangeCost, type RangeCost, sectionArithmetic, sectionLabel } from '../../core/hints/sections';
import { blockStart } from '../../core/plan/partition';
import { offsetAfter, rangeBefore, type TextRange } from '../../core/text/edits';
import type { Section } from '../../core/text/headings';
import { Disposable } from '../disposable';
import type { PromptPlan, PromptPlans } from '../prompts/prompt-plans';
import { headingHintsEnabled, hintsEnabled, settingsSection } from '../settings';
import type { Diffs } from './diffs';

/** A prompt that was planned successfully. */
export type Planned = Extract<PromptPlan, { readonly error: null }>;

/**
 * Offset of a block's start in the current document; the end of the text for the block after the last.
 *
 * @returns undefined if the word it began with was deleted: only the next plan knows
 */
export function blockOffset({ plan, places, edits }: Planned, block: number): number | undefined {
  const token = blockStart(plan, block);
  const from = places.offsetOf(token);
  // The first block always begins at the start of the text.
  return block === 0 || edits.length === 0 ? from : offsetAfter({ from, to: Math.max(from + 1, places.offsetOf(token + 1)) }, edits);
}

/** The first and last block that may appear in a range of the current document. */
export function blocksIn({ plan, places, edits }: Planned, range: TextRange): { readonly first: number; readonly last: number } {
  const before = rangeBefore(range, edits);
  const blockAt = (offset: number): number => Math.min(plan.blocks - 1, Math.floor(places.tokenAt(offset) / plan.blockSize));
  return { first: blockAt(before.from), last: blockAt(before.to) };
}

/** The cost of a section, including its heading and lower sections. */
export function sectionCost({ plan, places }: Planned, { from, end }: Section): RangeCost {
  return rangeCost(plan, places.firstTokenFrom(from), places.firstTokenFrom(end));
}

/** A hint before it is built: its position, its label, and its arithmetic as Markdown. */
interface PlacedLabel {
  readonly position: vscode.Position;
  readonly label: string;
  readonly arithmetic: string;
}

/** The inlay hint of a label. A space after it reserves room for the stale mark, so that the line keeps its width. */
function hintOf({ position, label, arithmetic }: PlacedLabel, stale: boolean): vscode.InlayHint {
  const hint = new vscode.InlayHint(position, markStale(label, stale, '\u00a0'));
  hint.paddingLeft = true;
  hint.tooltip = noted(arithmetic, stale);
  return hint;
}

/** Arithmetic as a tooltip, with a note if its figures are stale. */
export function noted(arithmetic: string, stale: boolean): vscode.MarkdownString {
  return new vscode.MarkdownString(stale ? `*${staleNote()}*\n\n${arithmetic}` : arithmetic);
}

/**
 * Inlay hints of prompts.
 *
 * They always come from the latest plan: between an edit and the next plan, hints move with their words, so that none
 * flickers.
 */
abstract class PromptHints extends Disposable implements vscode.InlayHintsProvider {
  private readonly changed = this.own(new vscode.EventEmitter<void>());
  readonly onDidChangeInlayHints = this.changed.event;

  constructor(
    private readonly plans: PromptPlans,
    private readonly diffs: Diffs,
    private readonly isEnabled: () => boolean,
  ) {
    super();
    this.own(vscode.languages.registerInlayHintsProvider({ pattern: '**' }, this));
    this.own(diffs.onDidChange(() => this.changed.fire()));
    this.own(plans.onDidChange(() => this.changed.fire()));
    this.own(plans.onDidTurnStale(() => this.changed.fire()));
    this.own(vscode.workspace.onDidChangeConfiguration((event) => event.affectsConfiguration(settingsSection) && this.changed.fire()));
  }

  provideInlayHints(document: vscode.TextDocument, range: vscode.Range): vscode.InlayHint[] {
    const planned = this.isEnabled() && !this.diffs.isOnlyInDiffs(document) ? this.plans.get(document) : undefined;
    const stale = this.plans.isStale(document);
    return planned === undefined || planned.error !== null
      ? []
      : [...this.labels(planned, document, range)].map((placed) => hintOf(placed, stale));
  }

  /** The hints in a range of the current document; positions from the plan are shifted by its edits. */
  protected abstract labels(planned: Planned, document: vscode.TextDocument, range: vscode.Range): Iterable<PlacedLabel>;
}

/** A hint at every block boundary in the visible range: the block's number, calls and share of the cost. */
export class BlockHints extends PromptHints {
  constructor(plans: PromptPlans, diffs: Diffs) {
    super(plans, diffs, hintsEnabled);
  }

  protected *labels(planned: Planned, document: vscode.TextDocument, range: vscode.Range): Iterable<PlacedLabel> {
    const { plan, prediction } = planned;
    const { first, last } = blocksIn(planned, { from: document.offsetAt(range.start), to: document.offsetAt(range.end) });
    for (let block = first; block <= last; block += 1) {
      const offset = blockOffset(planned, block);
      if (offset !== undefined) {
        yield {
          position: document.positionAt(offset),
          label: blockLabel(blockCost(plan, block), prediction),
          arithmetic: blockArithmetic(plan, block),
        };
      }
    }
  }
}

/** A hint after every heading in the visible range of a Markdown prompt: the cost of its section. */
export class HeadingHints extends PromptHints {
  constructor(plans: PromptPlans, diffs: Diffs) {
    super(plans, diffs, headingHintsEnabled);
  }

  protected *labels(planned: Planned, document: vscode.TextDocument, range: vscode.Range): Iterable<PlacedLabel> {
    const { plan, prediction, edits } = planned;
    const seen = rangeBefore({ from: document.offsetAt(range.start), to: document.offsetAt(range.end) }, edits);
    for (const section of planned.sections.filter(({ from, to }) => from <= seen.to && to >= seen.from)) {
      const offset = offsetAfter(section, edits);
      const line = offset === undefined ? undefined : document.lineAt(document.positionAt(offset));
      if (line !== undefined && range.contains(line.range.end)) {
        const cost = sectionCost(planned, section);
        yield { position: line.range.end, label: sectionLabel(cost, prediction), arithmetic: sectionArithmetic(plan, cost) };
      }
    }
  }
}

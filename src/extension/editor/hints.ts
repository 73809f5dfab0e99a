import * as vscode from 'vscode';
import { blockArithmetic, blockCost, blockLabel, markStale } from '../../core/hints/hints';
import { inlinePlace } from '../../core/hints/inline-place';
import { sectionArithmetic, sectionLabel } from '../../core/hints/sections';
import { lastAtMost } from '../../core/math/search';
import { offsetAfter, rangeBefore } from '../../core/text/edits';
import { Disposable } from '../disposable';
import type { PromptPlans } from '../prompts/prompt-plans';
import { fewestHintedTokens, headingHintsEnabled, hintPlacement, settingsSection } from '../settings';
import type { Diffs } from './diffs';
import { noted } from './hover-text';
import { blockOffset, blocksIn, mostHints, type Planned, sectionCost } from './places';

/** A hint before it is built: its position, its label, and its arithmetic as Markdown. */
interface PlacedLabel {
  readonly position: vscode.Position;
  readonly label: string;
  readonly arithmetic: string;
}

/** The first values of many, at most `count`. */
function firstOf<T>(values: Iterable<T>, count: number): T[] {
  const first: T[] = [];
  for (const value of values) {
    if (first.length === count) {
      break;
    }
    first.push(value);
  }
  return first;
}

/** The inlay hint of a label. A space after it reserves room for the stale mark, so that the line keeps its width. */
function hintOf({ position, label, arithmetic }: PlacedLabel, stale: boolean): vscode.InlayHint {
  const hint = new vscode.InlayHint(position, markStale(label, stale, '\u00a0'));
  hint.paddingLeft = true;
  hint.tooltip = noted(arithmetic, stale);
  return hint;
}

/**
 * Hints in the text of prompts, where the user wants them there.
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
    private readonly isEnabled: () => boolean = () => true,
  ) {
    super();
    this.own(vscode.languages.registerInlayHintsProvider({ pattern: '**' }, this));
    const change = (): void => {
      if (hintPlacement() === 'inline') {
        this.changed.fire();
      }
    };
    this.own(diffs.onDidChange(change));
    this.own(plans.onDidChange(change));
    this.own(plans.onDidTurnStale(change));
    this.own(vscode.workspace.onDidChangeConfiguration((event) => event.affectsConfiguration(settingsSection) && this.changed.fire()));
  }

  provideInlayHints(document: vscode.TextDocument, range: vscode.Range): vscode.InlayHint[] {
    const isShown = hintPlacement() === 'inline' && this.isEnabled() && !this.diffs.isOnlyInDiffs(document);
    const planned = isShown ? this.plans.get(document) : undefined;
    const stale = this.plans.isStale(document);
    return planned === undefined || planned.error !== null || planned.plan.tokens < fewestHintedTokens()
      ? []
      : firstOf(this.labels(planned, document, range), mostHints).map((placed) => hintOf(placed, stale));
  }

  /** The hints in a range of the current document; positions from the plan are shifted by its edits. */
  protected abstract labels(planned: Planned, document: vscode.TextDocument, range: vscode.Range): Iterable<PlacedLabel>;
}

/** A hint before the word with which a block begins, in the visible range. */
export class BlockHints extends PromptHints {
  protected *labels(planned: Planned, document: vscode.TextDocument, range: vscode.Range): Iterable<PlacedLabel> {
    const { plan, prediction } = planned;
    const { first, last } = blocksIn(planned, { from: document.offsetAt(range.start), to: document.offsetAt(range.end) });
    for (let block = first; block <= last; block += 1) {
      const offset = blockOffset(planned, block);
      if (offset !== undefined) {
        const { line, character } = document.positionAt(offset);
        yield {
          position: new vscode.Position(line, inlinePlace(document.lineAt(line).text, character)),
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
    const { from, to, end } = planned.sections;
    const seen = rangeBefore({ from: document.offsetAt(range.start), to: document.offsetAt(range.end) }, edits);
    // The last heading that begins before the range may reach into it.
    for (let index = lastAtMost(from, from.length, seen.from); index < from.length && from[index] <= seen.to; index += 1) {
      const section = { from: from[index], to: to[index], end: end[index] };
      const offset = offsetAfter(section, edits);
      const line = offset === undefined ? undefined : document.lineAt(document.positionAt(offset));
      if (offset !== undefined && line !== undefined && range.contains(line.range.end)) {
        const cost = sectionCost(planned, section);
        if (cost.endToken - cost.firstToken < fewestHintedTokens()) {
          continue;
        }
        // Messages may stand side by side on one line.
        const last = document.positionAt(offset + section.end - section.from);
        const position = last.isBefore(line.range.end) ? last : line.range.end;
        yield { position, label: sectionLabel(cost, prediction), arithmetic: sectionArithmetic(plan, cost) };
      }
    }
  }
}

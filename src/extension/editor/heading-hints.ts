import type * as vscode from 'vscode';
import { offsetAfter, rangeBefore } from '../../core/text/edits';
import { sectionArithmetic, sectionLabel } from '../../core/hints/section-hints';
import type { PromptPlans } from '../prompts/prompt-plans';
import { headingHintsEnabled } from '../settings';
import type { PlacedLabel } from './hint';
import { sectionCost, type Planned } from './places';
import { PromptHints } from './hints';

/** The language whose headings are known. */
export const markdown = 'markdown';

/** A hint behind every heading in the visible range of a Markdown prompt: what its section costs. */
export class HeadingHints extends PromptHints {
  constructor(plans: PromptPlans) {
    super(plans, { language: markdown }, headingHintsEnabled);
  }

  protected *labels(planned: Planned, document: vscode.TextDocument, range: vscode.Range): Iterable<PlacedLabel> {
    const { plan, prediction, edits } = planned;
    const seen = rangeBefore({ from: document.offsetAt(range.start), to: document.offsetAt(range.end) }, edits);
    for (const section of planned.sections().filter(({ from, to }) => from <= seen.to && to >= seen.from)) {
      const offset = offsetAfter(section, edits);
      const line = offset === undefined ? undefined : document.lineAt(document.positionAt(offset));
      if (line !== undefined && range.contains(line.range.end)) {
        const cost = sectionCost(planned, section);
        yield { position: line.range.end, label: sectionLabel(cost, prediction), arithmetic: sectionArithmetic(plan, cost) };
      }
    }
  }
}

import * as vscode from 'vscode';
import { costHeat, heatLevels, type HeatStretch, klHeat } from '../../core/hints/heat';
import type { PromptPlans } from '../prompts/prompt-plans';
import type { Latest } from '../runs/latest';
import { hintHeat, hintPlacement } from '../settings';
import type { Planned } from './places';
import { PromptMarks } from './prompt-marks';

/** Types of decorations, one for each shade. */
type Shades = readonly vscode.TextEditorDecorationType[];

/** The heat of a prompt, cost or KL divergence: shades in the overview ruler, and in a strip beside the text with the hints in the gutter. */
export class HeatMarks extends PromptMarks {
  private readonly inRuler = this.own(new LazyShades({ overviewRulerLane: vscode.OverviewRulerLane.Left }));
  private readonly inGutter = this.own(
    new LazyShades({
      overviewRulerLane: vscode.OverviewRulerLane.Left,
      isWholeLine: true,
      borderStyle: 'solid',
      borderWidth: '0 0 0 2px',
    }),
  );

  constructor(
    plans: PromptPlans,
    private readonly evaluation: Latest<'evaluation'>,
  ) {
    super(plans, () => hintHeat() !== 'off');
    this.own(evaluation.onDidChange(() => hintHeat() === 'kl' && this.redraw()));
    this.redraw();
  }

  /** A ruler shows the whole text. */
  protected override linesOf({ document }: vscode.TextEditor): readonly vscode.Range[] {
    return [new vscode.Range(0, 0, document.lineCount, 0)];
  }

  protected draw(editor: vscode.TextEditor, planned: Planned): void {
    const shades = hintPlacement() === 'gutter' ? this.inGutter : this.inRuler;
    const stretches = hintHeat() === 'kl' ? klHeat(this.evaluation.report, planned.sha256, planned.plan) : costHeat(planned.plan);
    shades.types.forEach((type, index) => {
      const own = stretches.filter(({ level }) => level === index + 1);
      editor.setDecorations(
        type,
        own.map((stretch) => rangeOf(editor.document, planned, stretch)),
      );
    });
  }

  protected clear(editor: vscode.TextEditor): void {
    for (const shades of [this.inRuler, this.inGutter]) {
      shades.made.forEach((type) => editor.setDecorations(type, []));
    }
  }
}

/** Shades that are made when they are first asked for: most windows show no prompt. */
class LazyShades {
  made: Shades = [];

  constructor(private readonly options: vscode.DecorationRenderOptions) {}

  get types(): Shades {
    if (this.made.length === 0) {
      this.made = Array.from({ length: heatLevels }, (_, index) => {
        const colour = new vscode.ThemeColor(`twoHeads.heat${index + 1}`);
        return vscode.window.createTextEditorDecorationType({ ...this.options, overviewRulerColor: colour, borderColor: colour });
      });
    }
    return this.made;
  }

  dispose(): void {
    this.made.forEach((type) => type.dispose());
  }
}

/** Where the tokens of a stretch are in the document. */
function rangeOf(document: vscode.TextDocument, { places }: Planned, { from, to }: HeatStretch): vscode.Range {
  const start = places.offsetOf(from);
  return new vscode.Range(document.positionAt(start), document.positionAt(Math.max(start, places.offsetOf(to) - 1)));
}

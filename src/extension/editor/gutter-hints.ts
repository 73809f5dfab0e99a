import * as vscode from 'vscode';
import type { PromptPlans } from '../prompts/prompt-plans';
import { hintPlacement } from '../settings';
import { documentLines } from './line-hints';
import { blocksBeginningIn, mostHints, type Planned } from './places';
import { PromptMarks } from './prompt-marks';

/** The number of the block beside each line on which one begins, under a rule. */
export class GutterHints extends PromptMarks {
  /** Numbers that some editor shows: a picture in the gutter belongs to a type, not to one decoration. */
  private readonly numbers = new Map<number, vscode.TextEditorDecorationType>();
  private readonly shown = new Map<vscode.TextEditor, ReadonlySet<number>>();

  constructor(plans: PromptPlans) {
    super(plans, () => hintPlacement() === 'gutter');
    this.redraw();
  }

  override dispose(): void {
    this.numbers.forEach((type) => type.dispose());
    super.dispose();
  }

  protected draw(editor: vscode.TextEditor, planned: Planned, lines: readonly vscode.Range[]): void {
    const starts = new Map<number, vscode.Range>();
    for (const { line, range } of documentLines(editor.document, lines)) {
      const blocks = blocksBeginningIn(planned, range);
      if (blocks !== undefined && starts.size < mostHints) {
        // A line that the editor breaks is several rows: only the first has it.
        starts.set(blocks.first + 1, line.range.with(line.range.start, line.range.start));
      }
    }
    this.show(editor, starts);
  }

  protected clear(editor: vscode.TextEditor): void {
    this.show(editor, new Map());
  }

  private show(editor: vscode.TextEditor, starts: ReadonlyMap<number, vscode.Range>): void {
    for (const [number, range] of starts) {
      let type = this.numbers.get(number);
      if (type === undefined) {
        type = numberType(number);
        this.numbers.set(number, type);
      }
      editor.setDecorations(type, [range]);
    }
    const { visibleTextEditors } = vscode.window;
    this.shown.set(editor, new Set(starts.keys()));
    for (const other of this.shown.keys()) {
      if (!visibleTextEditors.includes(other)) {
        this.shown.delete(other);
      }
    }
    for (const [number, type] of this.numbers) {
      if (![...this.shown.values()].some((numbers) => numbers.has(number))) {
        type.dispose();
        this.numbers.delete(number);
      } else if (!starts.has(number)) {
        editor.setDecorations(type, []);
      }
    }
  }
}

/** The sizes in which 1, 2, 3 ... digits fit into the gutter, of 16. */
const fontSizes = [10, 10, 8, 6.5, 5.2, 4.4];

function numberType(number: number): vscode.TextEditorDecorationType {
  const digits = String(number);
  const size = fontSizes[digits.length - 1] ?? 3.6;
  const icon = (colour: string): vscode.Uri => {
    const rule = `<path d="M0 .5H16" stroke="${colour}"/>`;
    const text = `<text x="8" y="${8.5 + size / 2.8}" text-anchor="middle" font-family="sans-serif" font-size="${size}" fill="${colour}">${digits}</text>`;
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16">${rule}${text}</svg>`;
    return vscode.Uri.parse(`data:image/svg+xml;base64,${Buffer.from(svg).toString('base64')}`);
  };
  // A picture takes no colour of the theme.
  return vscode.window.createTextEditorDecorationType({
    gutterIconSize: 'contain',
    light: { gutterIconPath: icon('#5f5f5f') },
    dark: { gutterIconPath: icon('#a8a8a8') },
  });
}

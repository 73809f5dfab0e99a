import { posix } from 'node:path';
import * as vscode from 'vscode';
import { formatCount, formatShare } from '../../core/format';
import { firstDifference, generationText, type PlacedToken } from '../../core/generate/report';
import { t } from '../../core/l10n';
import type { ContinuationRecord } from '../../core/record/record';
import { scenarioLabel } from '../../core/scenario/scenario';
import { shown } from '../../core/text/printable';
import { Disposable } from '../disposable';
import type { RunHistory } from '../runs/run-history';

/** The scheme of documents with continuations: read-only, and not prompts themselves. */
export const continuationScheme = 'two-heads-continuation';

/** What a document shows of a record: a continuation's text alone, or the report with all figures. */
const sides = ['own', 'masked', 'report'] as const;
type Side = (typeof sides)[number];

/**
 * Shows continuations beside their prompts: as a diff between that under the model's own attention and that under the mask, with the
 * first token that differs marked; as a report where there is only one.
 */
export class Continuations extends Disposable implements vscode.TextDocumentContentProvider {
  private readonly mark = this.own(
    vscode.window.createTextEditorDecorationType({
      borderStyle: 'solid',
      borderWidth: '1px',
      borderColor: new vscode.ThemeColor('editorWarning.foreground'),
      backgroundColor: new vscode.ThemeColor('editor.findMatchHighlightBackground'),
      overviewRulerColor: new vscode.ThemeColor('editorWarning.foreground'),
      overviewRulerLane: vscode.OverviewRulerLane.Full,
    }),
  );

  constructor(private readonly history: RunHistory) {
    super();
    this.own(vscode.workspace.registerTextDocumentContentProvider(continuationScheme, this));
    this.own(vscode.window.onDidChangeVisibleTextEditors((editors) => this.decorate(editors)));
  }

  /** An editor that was open before a restart asks before the history is read. */
  async provideTextDocumentContent(uri: vscode.Uri): Promise<string> {
    await this.history.loaded;
    const found = this.recordOf(uri);
    if (found === undefined) {
      return t('This continuation was deleted.');
    }
    const { report } = found.record;
    return found.side === 'report'
      ? `${generationText(report)}\n`
      : (report[found.side === 'own' ? 'baseline' : 'continuation']?.text ?? '');
  }

  /** Opens a continuation in the editor column beside. */
  async show(record: ContinuationRecord): Promise<void> {
    const { prompt, continuation, baseline } = record.report;
    const name = posix.basename(prompt.path);
    const place = { viewColumn: vscode.ViewColumn.Beside, preserveFocus: true, preview: true };
    if (baseline === null) {
      const document = await vscode.workspace.openTextDocument(uriOf(record, 'report', t('Continuation of {0}', name)));
      await vscode.window.showTextDocument(document, place);
      return;
    }
    const own = uriOf(record, 'own', t('{0} under {1}', name, scenarioLabel(baseline.scenario)));
    const masked = uriOf(record, 'masked', t('{0} under {1}', name, scenarioLabel(continuation.scenario)));
    const title = t('Continuation of {0}: {1} against {2}', name, scenarioLabel(baseline.scenario), scenarioLabel(continuation.scenario));
    await vscode.commands.executeCommand('vscode.diff', own, masked, title, place);
    this.decorate(vscode.window.visibleTextEditors);
  }

  private recordOf({ scheme, query }: vscode.Uri): { readonly record: ContinuationRecord; readonly side: Side } | undefined {
    const [id, asked] = query.split('&');
    const side = sides.find((each) => each === asked);
    const record = scheme === continuationScheme ? this.history.records.find((each) => each.id === id) : undefined;
    return record?.kind === 'continuation' && side !== undefined ? { record, side } : undefined;
  }

  /** Marks the first token that differs in both halves of a diff. */
  private decorate(editors: readonly vscode.TextEditor[]): void {
    for (const editor of editors) {
      const found = this.recordOf(editor.document.uri);
      if (found === undefined || found.side === 'report') {
        continue;
      }
      const difference = firstDifference(found.record.report);
      const token = difference?.[found.side] ?? null;
      if (difference === null || token === null) {
        continue;
      }
      const { text } = (found.side === 'own' ? found.record.report.baseline : found.record.report.continuation) ?? { text: '' };
      const range = new vscode.Range(positionIn(text, token.from), positionIn(text, token.to));
      const hoverMessage = differenceText(found.record, difference.token, difference.own, difference.masked);
      editor.setDecorations(this.mark, [{ range, hoverMessage }]);
    }
  }
}

/** Where an offset of a text is in its document, whatever line ends that makes of the text's. */
function positionIn(text: string, offset: number): vscode.Position {
  const lines = text.slice(0, offset).split(/\r\n|\r|\n/);
  return new vscode.Position(lines.length - 1, lines.at(-1)?.length ?? 0);
}

/** What the mark says: the position, and both tokens with their probabilities. */
function differenceText(
  { report: { continuation, baseline, prompt } }: ContinuationRecord,
  token: number,
  own: PlacedToken | null,
  masked: PlacedToken | null,
): vscode.MarkdownString {
  const line = (scenario: string, placed: PlacedToken | null): string =>
    placed === null
      ? t('{0}: the text has ended', scenario)
      : t('{0}: "{1}", token {2}, probability {3}', scenario, shown(placed.text), placed.id, probability(placed));
  return new vscode.MarkdownString().appendText(
    [
      t('First token that differs: {0} of the continuation, position {1}.', formatCount(token + 1), formatCount(prompt.tokens + token)),
      line(scenarioLabel(baseline?.scenario ?? continuation.scenario), own),
      line(scenarioLabel(continuation.scenario), masked),
    ].join('\n'),
  );
}

function probability({ logProbability }: PlacedToken): string {
  return formatShare(Math.exp(logProbability));
}

/** @param name what the editor shows as its name */
function uriOf({ id }: ContinuationRecord, side: Side, name: string): vscode.Uri {
  return vscode.Uri.from({ scheme: continuationScheme, path: `/${name.replaceAll('/', '-')}.txt`, query: `${id}&${side}` });
}

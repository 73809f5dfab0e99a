import { posix } from 'node:path';
import * as vscode from 'vscode';
import type { ExperimentSummary } from '../../core/evaluate/report';
import { deviceRoof } from '../../core/lab/roofline';
import type { Range } from '../../core/scenario/scenario';
import type { RunReport } from '../../core/report/report';
import type { LabAtlas, LabExperiment, LabSnapshot } from '../../protocol/lab';
import { Disposable } from '../disposable';
import type { Planned } from '../editor/places';
import type { ActivePrompt } from '../prompts/active-prompt';
import type { PromptPlan, PromptPlans } from '../prompts/prompt-plans';
import { type Latest, latestRunOf } from '../runs/latest';
import type { RunHistory } from '../runs/run-history';
import { labAtlas } from './lab-atlas';
import type { LabSource, SourceMessage } from './lab-page';

/** What the lab of a prompt is made of. */
export interface PromptLabSources {
  readonly active: ActivePrompt;
  readonly plans: PromptPlans;
  readonly history: RunHistory;
  readonly evaluation: Latest<'evaluation'>;
}

/** Most runs that are shown: the newest. */
const mostRuns = 40;

/** The lab of the prompt in front, whichever that is. */
export class PromptLab extends Disposable implements LabSource {
  private readonly changed = this.own(new vscode.EventEmitter<void>());
  readonly onDidChange = this.changed.event;
  private readonly selected = this.own(new vscode.EventEmitter<Range | null>());
  readonly onDidSelect = this.selected.event;
  private readonly brushed = this.own(
    vscode.window.createTextEditorDecorationType({
      backgroundColor: new vscode.ThemeColor('twoHeads.brushBackground'),
      overviewRulerColor: new vscode.ThemeColor('twoHeads.brushBackground'),
      overviewRulerLane: vscode.OverviewRulerLane.Full,
    }),
  );
  private made: { readonly report: RunReport; readonly planned: PromptPlan | undefined; readonly atlas: LabAtlas | null } | undefined;
  private evaluated: { readonly of: ExperimentSummary; readonly experiment: LabExperiment } | undefined;
  private hasSelection = false;

  constructor(private readonly sources: PromptLabSources) {
    super();
    const { active, plans, history, evaluation } = sources;
    const change = (): void => this.changed.fire();
    this.own(active.onDidChange(change));
    this.own(plans.onDidChange((document) => document === active.prompt?.document && change()));
    for (const event of [history.onDidChange, evaluation.onDidChange]) {
      this.own(event(change));
    }
    this.own(vscode.window.onDidChangeTextEditorSelection(({ textEditor }) => this.followSelection(textEditor)));
  }

  snapshot(activity: LabSnapshot['activity']): LabSnapshot {
    const { active, history } = this.sources;
    const { document } = active.prompt ?? {};
    const planned = this.planned();
    const good = planned?.error === null ? planned : undefined;
    const runs = good === undefined ? [] : history.runs.filter(({ report }) => report.prompt.sha256 === good.sha256);
    return {
      subject: 'prompt',
      document: document === undefined ? null : posix.basename(document.uri.path),
      error: planned?.error ?? null,
      plan: good?.plan ?? null,
      prediction: good?.prediction ?? null,
      memory: good?.memory ?? null,
      roof: good?.calibration === undefined ? null : deviceRoof(good.calibration),
      runs: runs.slice(0, mostRuns).map(({ report }) => withoutAtlas(report)),
      current: (good && latestRunOf(runs, good)) ?? null,
      activity,
    };
  }

  get atlas(): LabAtlas | null {
    const { active, history } = this.sources;
    const uri = active.prompt?.document.uri.toString();
    const report = history.records
      .filter((record) => record.kind === 'atlas')
      .find(({ origin }) => origin !== null && origin.uri === uri)?.report;
    const planned = this.planned();
    if (report === undefined) {
      return null;
    }
    if (this.made?.report !== report || this.made.planned !== planned) {
      const atlas = labAtlas(report, planned);
      // A keystroke makes a new plan, and some megabytes are not worth sending for that.
      const isSame = this.made?.report === report && this.made.atlas?.current === atlas?.current;
      this.made = { report, planned, atlas: isSame ? (this.made?.atlas ?? null) : atlas };
    }
    return this.made.atlas;
  }

  get experiment(): LabExperiment | null {
    const { report } = this.sources.evaluation;
    const planned = this.planned();
    const isOfPrompt = planned?.error === null && report?.prompts.length === 1 && report.prompts[0].sha256 === planned.sha256;
    if (report === null || !isOfPrompt) {
      return null;
    }
    if (this.evaluated?.of !== report) {
      this.evaluated = { of: report, experiment: { outlook: null, evaluation: report } };
    }
    return this.evaluated.experiment;
  }

  async act(message: SourceMessage): Promise<void> {
    switch (message.type) {
      case 'measure':
        await vscode.commands.executeCommand('twoHeads.atlas');
        break;
      case 'run':
        await vscode.commands.executeCommand('twoHeads.simulateFile');
        break;
      case 'compare':
        await vscode.commands.executeCommand('twoHeads.compareScenarios');
        break;
      case 'evaluate':
        await vscode.commands.executeCommand('twoHeads.evaluate');
        break;
      case 'brush':
        this.brush(message.range);
        break;
      case 'reveal':
        this.reveal(message.range);
        break;
    }
  }

  private planned(): PromptPlan | undefined {
    const { active, plans } = this.sources;
    return active.prompt && plans.get(active.prompt.document);
  }

  /** The editor of the prompt and its plan, while that is of the text as it is. */
  private upToDate(): { readonly editor: vscode.TextEditor; readonly planned: Planned } | undefined {
    const editor = this.sources.active.prompt?.editor;
    const planned = this.planned();
    return editor !== undefined && planned?.error === null && planned.version === editor.document.version ? { editor, planned } : undefined;
  }

  /** Marks tokens in the text. Neither the cursor nor the scroll position moves. */
  private brush(range: Range | null): void {
    const found = this.upToDate();
    if (found !== undefined) {
      found.editor.setDecorations(this.brushed, range === null ? [] : [placeOf(found, range)]);
    }
  }

  private reveal(range: Range): void {
    const found = this.upToDate();
    if (found !== undefined) {
      this.brush(range);
      found.editor.revealRange(placeOf(found, range), vscode.TextEditorRevealType.InCenterIfOutsideViewport);
    }
  }

  private followSelection(editor: vscode.TextEditor): void {
    const found = this.upToDate();
    if (found?.editor !== editor) {
      return;
    }
    const { selection, document } = editor;
    if (!selection.isEmpty) {
      const tokens = found.planned.places.tokensIn(document.offsetAt(selection.start), document.offsetAt(selection.end));
      this.hasSelection = tokens.from < tokens.to;
      this.selected.fire(this.hasSelection ? tokens : null);
      this.brush(null);
    } else if (this.hasSelection) {
      // A cursor that moves takes back what was selected in the text, and leaves what was brushed in a picture.
      this.hasSelection = false;
      this.selected.fire(null);
    }
  }
}

/** Where tokens are in the document. */
function placeOf(
  { editor: { document }, planned: { places } }: { readonly editor: vscode.TextEditor; readonly planned: Planned },
  { from, to }: Range,
): vscode.Range {
  const end = Math.min(places.tokens, to);
  return new vscode.Range(document.positionAt(places.offsetOf(Math.min(from, end))), document.positionAt(places.offsetOf(end)));
}

/** A run without what is sent apart, if at all. */
export function withoutAtlas(report: RunReport): RunReport {
  return report.atlas === undefined ? report : { ...report, atlas: undefined, byToken: undefined };
}

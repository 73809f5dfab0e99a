import { posix } from 'node:path';
import * as vscode from 'vscode';
import { t, text } from '../core/l10n';
import type { ChoiceStore } from './choice';
import { Disposable } from './disposable';
import { experimentEnding } from './experiments/experiment-files';
import type { ExperimentLens } from './experiments/experiment-lens';
import type { Fleet } from './fleet/fleet';
import { chooseModel } from './editor/model-picker';
import { goToExpensiveBlock, showPlan } from './editor/plan-answers';
import { showMenu } from './editor/status-menu';
import { askWhetherRetrieval, chooseBlockSize, chooseScenario } from './editor/scenario-picker';
import type { LabEditors } from './lab/lab-editors';
import type { PanelView } from './panel/panel-view';
import type { ActivePrompt, Front } from './prompts/active-prompt';
import type { Notebooks, PromptDocument } from './prompts/notebooks';
import { planOf } from './prompts/awaited-plan';
import { canBePrompt, type PromptDocuments } from './prompts/prompt-documents';
import type { Planner } from './prompts/planner';
import type { PromptPlans } from './prompts/prompt-plans';
import type { ReportView } from './runs/report-view';
import { adviseMask } from './tasks/advise-mask';
import { continuePrompt } from './tasks/continue-prompt';
import type { Evaluations } from './tasks/evaluations';
import type { Fetches } from './tasks/fetches';
import { type RunSource, selectionOf, sourceOf } from './tasks/run-source';
import type { Runner } from './tasks/runner';
import type { SingleTask } from './tasks/single-task';
import { showWarning } from './notify';

/** What the commands act on. */
interface CommandTargets {
  readonly prompts: PromptDocuments;
  readonly active: ActivePrompt;
  readonly notebooks: Notebooks;
  readonly plans: PromptPlans;
  readonly planner: Planner;
  readonly choices: ChoiceStore;
  readonly runner: Runner;
  readonly task: SingleTask;
  readonly panel: PanelView;
  readonly reports: ReportView;
  readonly evaluations: Evaluations;
  readonly experiments: ExperimentLens;
  readonly fleet: Fleet;
  readonly fetches: Fetches;
  readonly labs: LabEditors;
  readonly samplePrompt: vscode.Uri;
  readonly log: vscode.LogOutputChannel;
}

/** A command as the palette shows it. `npm run manifest` writes it into package.json. */
export interface CommandDefinition<Run> {
  readonly title: string;
  /** A codicon, for where the command is a button. */
  readonly icon?: string;
  /** Where palette and menus offer it; everywhere by default. */
  readonly when?: string;
  /** When it can be run, where it is offered; always by default. */
  readonly enablement?: string;
  readonly run: Run;
}

/** Whether anything is in front; also before the extension starts, which a command does then. */
const inFront = 'twoHeads.front != none';
/** Names of files that the lab has an editor for, as the manifest has them: experiments, results of them, and runs. */
const labFile = /\.two-heads\.jsonl?$|\.results\.jsonl$|two-heads-runs?.*\.json$/;
const onLabFile = `resourceFilename =~ /${labFile.source}/`;
const inFileLab = "activeCustomEditorId == 'twoHeads.lab'";
const onExperiment = 'resourceFilename =~ /\\.two-heads\\.json$/ && resourceScheme == file';

/** The commands that act on the editor in front, the choices and the views. */
export class Commands extends Disposable {
  static readonly definitions: Readonly<Record<string, CommandDefinition<(self: Commands, on: unknown) => unknown>>> = {
    simulateFile: {
      title: text('Simulate This File'),
      icon: 'play',
      when: inFront,
      run: (self, on) => self.withPrompt(on, ({ document }) => self.targets.runner.simulate(self.sourceOf(document))),
    },
    simulateSelection: {
      title: text('Simulate Selection'),
      when: "editorHasSelection || activeEditor == 'workbench.editor.notebook'",
      run: (self) => self.withText(undefined, (front) => self.simulateSelection(front)),
    },
    planOnly: {
      title: text('Plan Only (No Run)'),
      when: inFront,
      run: (self, on) => self.withPrompt(on, ({ document }) => showPlan(document, self.targets)),
    },
    compareScenarios: {
      title: text('Compare Scenarios'),
      when: inFront,
      run: (self, on) => self.withPrompt(on, ({ document }) => self.targets.runner.compare(self.sourceOf(document))),
    },
    continuePrompt: {
      title: text('Continue Prompt'),
      when: inFront,
      run: (self, on) => self.withPrompt(on, ({ document }) => continuePrompt(self.sourceOf(document), self.targets)),
    },
    atlas: {
      title: text('Where Attention Goes'),
      icon: 'map',
      when: inFront,
      run: (self, on) => self.withPrompt(on, ({ document }) => self.mapAttention(document)),
    },
    adviseMask: {
      title: text('Advise a Mask'),
      when: inFront,
      run: (self, on) => self.withPrompt(on, ({ document }) => adviseMask(self.sourceOf(document), self.targets.runner)),
    },
    evaluate: {
      title: text('Evaluate Quality'),
      when: inFront,
      run: (self, on) => self.withPrompt(on, ({ document }) => self.evaluate(document)),
    },
    runExperiment: {
      title: text('Run Experiment'),
      icon: 'play',
      when: onExperiment,
      run: (self, on) => self.withExperiment(on, (file) => self.targets.evaluations.runFile(file)),
    },
    runExperimentOnFleet: {
      title: text('Run Experiment on Fleet'),
      icon: 'run-all',
      when: onExperiment,
      run: (self, on) =>
        self.withExperiment(
          on,
          (file) => self.targets.evaluations.runFileOnFleet(file),
          () => self.targets.fleet.mayRun(),
        ),
    },
    addSweep: {
      title: text('Add a Sweep of Windows'),
      icon: 'add',
      when: onExperiment,
      run: ({ targets }, on) => targets.experiments.addSweep(on),
    },
    setBrokerPassword: {
      title: text("Set the Broker's Password..."),
      icon: 'key',
      when: 'twoHeads.hasBroker',
      enablement: 'twoHeads.hasBroker',
      run: ({ targets }) => targets.fleet.setPassword(),
    },
    runLedger: { title: text('Run the Ledger of Theorems'), run: (self) => self.runLedger() },
    calibrate: { title: text('Calibrate This Machine'), run: ({ targets }) => targets.runner.calibrate() },
    chooseScenario: { title: text('Choose Scenario'), run: ({ targets }) => chooseScenario(targets.choices) },
    chooseBlockSize: { title: text('Choose Block Size'), run: ({ targets }) => chooseBlockSize(targets.choices) },
    chooseModel: { title: text('Choose a Model...'), run: ({ targets }) => chooseModel(targets.planner) },
    getModel: { title: text('Get a Model...'), icon: 'cloud-download', run: ({ targets }) => targets.fetches.getModel() },
    goToExpensiveBlock: {
      title: text('Go to Most Expensive Block'),
      when: inFront,
      run: (self, on) => self.withPrompt(on, (front) => goToExpensiveBlock(front, self.targets)),
    },
    treatAsPrompt: {
      title: text('Treat as Prompt'),
      when: 'twoHeads.front == text',
      run: (self, on) => self.withText(on, ({ document }) => self.targets.prompts.say(document, true)),
    },
    stopTreatingAsPrompt: {
      title: text('Stop Treating as Prompt'),
      when: 'twoHeads.front == prompt',
      run: (self, on) => self.withText(on, ({ document }) => self.targets.prompts.say(document, false)),
    },
    cancel: {
      title: text('Cancel the Run'),
      icon: 'debug-stop',
      when: 'twoHeads.running',
      enablement: 'twoHeads.running',
      run: ({ targets }) => targets.task.cancel(),
    },
    showMenu: { title: text('Show Menu'), icon: 'menu', run: ({ targets }) => showMenu(targets.active, targets.task) },
    openLab: {
      title: text('Open Lab to the Side'),
      icon: 'beaker',
      when: `${inFront} || ${onLabFile}`,
      run: (self, on) => self.openLab(on),
    },
    reopenAsText: {
      title: text('Reopen as Text'),
      icon: 'go-to-file',
      when: inFileLab,
      enablement: inFileLab,
      run: () => vscode.commands.executeCommand('workbench.action.reopenTextEditor'),
    },
    openPanel: { title: text('Open Panel'), run: ({ targets }) => targets.panel.reveal() },
    openSamplePrompt: { title: text('Open the Sample Prompt'), run: (self) => self.openSample() },
    showLog: { title: text('Show Log'), run: ({ targets }) => targets.log.show() },
  };

  constructor(private readonly targets: CommandTargets) {
    super();
    for (const [name, { run }] of Object.entries(Commands.definitions)) {
      this.own(vscode.commands.registerCommand(`twoHeads.${name}`, (on: unknown) => run(this, on)));
    }
  }

  /**
   * Runs `act` on the text or notebook in front and on no other, or shows a message if there is none that can be edited.
   *
   * @param on the address of the file that a menu was opened on, which comes to the front
   */
  private async withText(on: unknown, act: (front: Front) => unknown): Promise<void> {
    const front = await this.targets.active.bring(on);
    if (front === undefined) {
      const open = t('Open the Sample Prompt');
      const chosen = await showWarning(t('Two Heads: no text is in front; open a prompt first.'), open);
      if (chosen === open) {
        await this.openSample();
      }
    } else if (canBePrompt(front.document)) {
      await act(front);
    } else {
      const { path, scheme } = front.document.uri;
      void showWarning(
        t('Two Heads: {0} ({1}) is read-only and no prompt; copy its text into a file first.', posix.basename(path), scheme),
      );
    }
  }

  /** The same for what needs the plan of the whole text, which is a prompt from then on, so that everything shows it. */
  private withPrompt(on: unknown, act: (front: Front) => unknown): Promise<void> {
    return this.withText(on, (front) => {
      this.targets.prompts.sayForSession(front.document);
      return act(front);
    });
  }

  /** Opens the sample as an untitled document, so that edits do not change installed files. */
  private async openSample(): Promise<void> {
    const { prompts, samplePrompt } = this.targets;
    const content = new TextDecoder().decode(await vscode.workspace.fs.readFile(samplePrompt));
    const document = await vscode.workspace.openTextDocument({ language: 'markdown', content });
    prompts.sayForSession(document);
    await vscode.window.showTextDocument(document);
  }

  /** The lab shows a ledger, so it opens first. */
  private async runLedger(): Promise<void> {
    const { labs, runner } = this.targets;
    labs.openPrompt('ledger');
    await runner.runLedger();
  }

  /** The lab shows an evaluation, so it opens first. */
  private async evaluate(document: PromptDocument): Promise<void> {
    const retrieval = await askWhetherRetrieval();
    if (retrieval !== undefined) {
      const planned = await planOf(document, this.targets);
      const others = planned.error === null ? await this.targets.plans.evaluated(document) : [];
      this.targets.labs.openPrompt('lab-quality');
      await this.targets.evaluations.evaluate(this.sourceOf(document), planned, others, retrieval);
    }
  }

  /** The lab shows an atlas, so it opens first. */
  private async mapAttention(document: PromptDocument): Promise<void> {
    this.targets.labs.openPrompt();
    await this.targets.runner.atlas(this.sourceOf(document));
  }

  /** Opens the lab of a file that it has an editor for, else that of the prompt in front: beside the text. */
  private async openLab(on: unknown): Promise<void> {
    const { labs, prompts } = this.targets;
    const uri = on instanceof vscode.Uri ? on : vscode.window.activeTextEditor?.document.uri;
    if (uri !== undefined && labFile.test(posix.basename(uri.path))) {
      // Beside its text where that is in front; from a list of files in a place of its own.
      await labs.openFile(uri, vscode.window.activeTextEditor?.document.uri.toString() === uri.toString());
      return;
    }
    await this.withText(on, ({ document }) => {
      prompts.sayForSession(document);
      labs.openPrompt();
    });
  }

  /** Runs `act` on the experiment file in front, where the user lets it. Its lab shows the result, so it opens first, beside the text. */
  private async withExperiment(
    on: unknown,
    act: (file: string) => Promise<void>,
    mayRun = (): Promise<boolean> => Promise.resolve(true),
  ): Promise<void> {
    const inLab = this.targets.labs.activeDocument;
    if (on instanceof vscode.Uri && on.toString() !== inLab?.uri.toString()) {
      await vscode.window.showTextDocument(on);
    }
    const document = vscode.window.activeTextEditor?.document ?? inLab;
    if (document?.uri.scheme !== 'file' || !document.fileName.endsWith(experimentEnding)) {
      void showWarning(
        t('Two Heads: open an experiment file (*{0}) first; docs/experiments.md explains how to write one.', experimentEnding),
      );
      return;
    }
    if (await mayRun()) {
      // The engine reads the file itself, so that paths and results match those of the command line.
      await document.save();
      if (document !== inLab) {
        await this.targets.labs.openFile(document.uri, true);
      }
      await act(document.fileName);
    }
  }

  private sourceOf(document: PromptDocument): RunSource {
    return sourceOf(document, this.targets.plans.sourceOf(document));
  }

  private async simulateSelection(front: Front): Promise<void> {
    // Of a notebook, the cell that has the focus.
    const editor = front.editor ?? vscode.window.activeTextEditor;
    if (editor === undefined || editor.selection.isEmpty) {
      void showWarning(t('Two Heads: nothing is selected; select the text to run.'));
      return;
    }
    await this.targets.runner.simulate(selectionOf(editor.document, editor.selection));
  }
}

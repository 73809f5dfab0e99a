import { posix } from 'node:path';
import * as vscode from 'vscode';
import { largestGeneration } from '../core/generate/report';
import { predictionArithmetic } from '../core/hints/expected';
import { planArithmetic, planHeadline } from '../core/hints/hints';
import { t, text } from '../core/l10n';
import { withBreakEven } from '../core/predict/prediction';
import type { ChoiceStore } from './choice';
import { Disposable } from './disposable';
import type { Fleet } from './fleet/fleet';
import { chooseModel } from './editor/model-picker';
import { goToExpensivePart } from './editor/part-picker';
import { showMenu } from './editor/status-menu';
import { askNumber, askWhetherRetrieval, chooseBlockSize, chooseScenario, type NumberQuestion } from './editor/scenario-picker';
import type { PanelView } from './panel/panel-view';
import type { ActivePrompt, Front } from './prompts/active-prompt';
import type { Notebooks, PromptDocument } from './prompts/notebooks';
import { planOf } from './prompts/awaited-plan';
import { canBePrompt, type PromptDocuments } from './prompts/prompt-documents';
import type { Planner } from './prompts/planner';
import type { PromptPlans } from './prompts/prompt-plans';
import type { Continuations } from './tasks/continuations';
import type { Evaluations } from './tasks/evaluations';
import type { Fetches } from './tasks/fetches';
import { type RunSource, selectionOf, sourceOf } from './tasks/run-source';
import type { Runner } from './tasks/runner';
import type { SingleTask } from './tasks/single-task';
import { showError, showWarning } from './notify';

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
  readonly continuations: Continuations;
  readonly evaluations: Evaluations;
  readonly fleet: Fleet;
  readonly fetches: Fetches;
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
const idle = '!twoHeads.running';
const onExperiment = 'resourceFilename =~ /\\.two-heads\\.json$/ && resourceScheme == file';

/** The commands that act on the editor in front, the choices and the views. */
export class Commands extends Disposable {
  static readonly definitions: Readonly<Record<string, CommandDefinition<(self: Commands, on: unknown) => unknown>>> = {
    simulateFile: {
      title: text('Simulate This File'),
      icon: 'play',
      when: inFront,
      enablement: idle,
      run: (self, on) => self.withPrompt(on, ({ document }) => self.targets.runner.simulate(self.sourceOf(document))),
    },
    simulateSelection: {
      title: text('Simulate Selection'),
      when: "editorHasSelection || activeEditor == 'workbench.editor.notebook'",
      enablement: idle,
      run: (self) => self.withText(undefined, (front) => self.simulateSelection(front)),
    },
    planOnly: {
      title: text('Plan Only (No Run)'),
      when: inFront,
      run: (self, on) => self.withPrompt(on, ({ document }) => self.showPlan(document)),
    },
    compareScenarios: {
      title: text('Compare Scenarios'),
      when: inFront,
      enablement: idle,
      run: (self, on) => self.withPrompt(on, ({ document }) => self.targets.runner.compare(self.sourceOf(document))),
    },
    continuePrompt: {
      title: text('Continue Prompt'),
      when: inFront,
      enablement: idle,
      run: (self, on) => self.withPrompt(on, ({ document }) => self.continuePrompt(document)),
    },
    evaluate: {
      title: text('Evaluate Quality'),
      when: inFront,
      enablement: idle,
      run: (self, on) => self.withPrompt(on, ({ document }) => self.evaluate(document)),
    },
    runExperiment: {
      title: text('Run Experiment'),
      icon: 'play',
      when: onExperiment,
      enablement: idle,
      run: (self, on) => self.withExperiment(on, (file) => self.targets.evaluations.runFile(file)),
    },
    runExperimentOnFleet: {
      title: text('Run Experiment on Fleet'),
      icon: 'run-all',
      when: onExperiment,
      enablement: idle,
      run: (self, on) =>
        self.withExperiment(
          on,
          (file) => self.targets.evaluations.runFileOnFleet(file),
          () => self.targets.fleet.mayRun(),
        ),
    },
    setBrokerPassword: {
      title: text("Set the Broker's Password..."),
      icon: 'key',
      when: 'twoHeads.hasBroker',
      enablement: 'twoHeads.hasBroker',
      run: ({ targets }) => targets.fleet.setPassword(),
    },
    runLedger: { title: text('Run the Ledger of Theorems'), enablement: idle, run: (self) => self.runLedger() },
    calibrate: { title: text('Calibrate This Machine'), enablement: idle, run: ({ targets }) => targets.runner.calibrate() },
    chooseScenario: { title: text('Choose Scenario'), run: ({ targets }) => chooseScenario(targets.choices) },
    chooseBlockSize: { title: text('Choose Block Size'), run: ({ targets }) => chooseBlockSize(targets.choices) },
    chooseModel: { title: text('Choose a Model...'), run: ({ targets }) => chooseModel(targets.planner) },
    getModel: { title: text('Get a Model...'), icon: 'cloud-download', run: ({ targets }) => targets.fetches.getModel() },
    goToExpensiveBlock: {
      title: text('Go to Most Expensive Block'),
      when: inFront,
      run: (self, on) => self.withPrompt(on, (front) => self.goToExpensiveBlock(front)),
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

  /** Only the panel shows a ledger, so it comes to the front first. */
  private async runLedger(): Promise<void> {
    const { panel, runner } = this.targets;
    await panel.reveal();
    await runner.runLedger();
  }

  /** Only the panel shows an evaluation, so it comes to the front first. */
  private async evaluate(document: PromptDocument): Promise<void> {
    const retrieval = await askWhetherRetrieval();
    if (retrieval !== undefined) {
      const planned = await planOf(document, this.targets);
      const others = planned.error === null ? await this.targets.plans.evaluated(document) : [];
      await this.targets.panel.reveal();
      await this.targets.evaluations.evaluate(this.sourceOf(document), planned, others, retrieval);
    }
  }

  /** Runs `act` on the experiment file in front, where the user lets it; only the panel shows the result, so it comes to the front first. */
  private async withExperiment(
    on: unknown,
    act: (file: string) => Promise<void>,
    mayRun = (): Promise<boolean> => Promise.resolve(true),
  ): Promise<void> {
    if (on instanceof vscode.Uri) {
      await vscode.window.showTextDocument(on);
    }
    const document = vscode.window.activeTextEditor?.document;
    if (document?.uri.scheme !== 'file' || !document.fileName.endsWith(experimentEnding)) {
      void showWarning(
        t('Two Heads: open an experiment file (*{0}) first; docs/experiments.md explains how to write one.', experimentEnding),
      );
      return;
    }
    if (await mayRun()) {
      // The engine reads the file itself, so that paths and results match those of the command line.
      await document.save();
      await this.targets.panel.reveal();
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

  private async continuePrompt(document: PromptDocument): Promise<void> {
    const { runner, continuations } = this.targets;
    const tokens = await askNumber(generationQuestion, 32);
    const report = tokens === undefined ? undefined : await runner.continue(this.sourceOf(document), tokens);
    if (report !== undefined) {
      await continuations.show(report);
    }
  }

  /** Shows the plan's arithmetic in a modal message, because the user asked for it and reads it once. */
  private async showPlan(document: PromptDocument): Promise<void> {
    const planned = await planOf(document, this.targets);
    if (planned.error !== null) {
      void showError(`Two Heads: ${planned.error}`);
      return;
    }
    const { plan, calibration, cache, memory } = planned;
    const prediction = withBreakEven(planned.prediction, plan, calibration);
    const detail = `${planArithmetic(plan, cache, memory)}\n\n${predictionArithmetic(prediction)}`.replaceAll(/[*`]/g, '');
    const open = t('Open Panel');
    if ((await vscode.window.showInformationMessage(planHeadline(plan), { modal: true, detail }, open)) === open) {
      await this.targets.panel.reveal();
    }
  }

  private async goToExpensiveBlock({ document, editor }: Front): Promise<void> {
    if (editor === undefined) {
      void showWarning(
        t('Two Heads: blocks have no place in the cells of a notebook; open {0} as text to go to them.', posix.basename(document.uri.path)),
      );
      return;
    }
    const planned = await planOf(document, this.targets);
    if (planned.error === null) {
      await goToExpensivePart(editor, planned, this.targets.plans);
    } else {
      void showError(`Two Heads: ${planned.error}`);
    }
  }
}

const generationQuestion: NumberQuestion = {
  title: text('Tokens to add'),
  description: text("The prompt is continued under the chosen scenario and under the model's own attention."),
  minimum: 1,
  maximum: largestGeneration,
};

/** File name ending of experiments. */
const experimentEnding = '.two-heads.json';

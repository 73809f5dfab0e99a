import * as vscode from 'vscode';
import { planArithmetic, planHeadline } from '../core/hints/hints';
import { maskDefinition, maskDefinitions, type ScenarioKind, type ScenarioParameters } from '../core/masks';
import { wholeNumber } from '../core/options';
import { maximumTokens } from '../core/plan/partition';
import { messageOf } from '../core/errors';
import type { ChoiceStore } from './choice';
import { Disposable } from './disposable';
import type { PanelView } from './panel/panel-view';
import type { ActivePrompt } from './prompts/active-prompt';
import type { PromptPlans } from './prompts/prompt-plans';
import type { Runner } from './runs/runner';

/** What the commands act on. */
export interface CommandTargets {
  readonly active: ActivePrompt;
  readonly plans: PromptPlans;
  readonly choices: ChoiceStore;
  readonly runner: Runner;
  readonly panel: PanelView;
  readonly samplePrompt: vscode.Uri;
  readonly log: vscode.LogOutputChannel;
}

/** The commands of the palette. */
export class Commands extends Disposable {
  constructor(private readonly targets: CommandTargets) {
    super();
    const { runner, panel, log } = targets;
    const commands: Readonly<Record<string, () => unknown>> = {
      simulateFile: () => this.withPrompt(({ document }) => runner.simulate({ path: pathOf(document), text: document.getText() })),
      simulateSelection: () => this.withPrompt((editor) => this.simulateSelection(editor)),
      planOnly: () => this.withPrompt(({ document }) => this.showPlan(document)),
      compareScenarios: () => this.withPrompt(({ document }) => runner.compare({ path: pathOf(document), text: document.getText() })),
      chooseScenario: () => this.chooseScenario(),
      chooseBlockSize: () => this.chooseBlockSize(),
      cancel: () => runner.cancel(),
      openPanel: () => panel.reveal(),
      openSamplePrompt: () => openSample(targets.samplePrompt),
      showLog: () => log.show(),
    };
    for (const [name, run] of Object.entries(commands)) {
      this.own(vscode.commands.registerCommand(`twoHeads.${name}`, run));
    }
  }

  /** Runs `act` on the prompt in front, or says that there is none. */
  private async withPrompt(act: (editor: vscode.TextEditor) => unknown): Promise<void> {
    const { editor } = this.targets.active;
    if (editor === undefined) {
      const open = 'Open the Sample Prompt';
      const chosen = await vscode.window.showWarningMessage('Two Heads: open a Markdown, plain text or .prompt file first.', open);
      if (chosen === open) {
        await openSample(this.targets.samplePrompt);
      }
      return;
    }
    await act(editor);
  }

  private async simulateSelection({ document, selection }: vscode.TextEditor): Promise<void> {
    if (selection.isEmpty) {
      void vscode.window.showWarningMessage('Two Heads: nothing is selected; select the text to run.');
      return;
    }
    const lines = `L${selection.start.line + 1}-L${selection.end.line + 1}`;
    await this.targets.runner.simulate({ path: `${pathOf(document)}#${lines}`, text: document.getText(selection) });
  }

  /** Shows the plan's arithmetic in a modal message: it was asked for, and it is read once. */
  private async showPlan(document: vscode.TextDocument): Promise<void> {
    const planned = await this.planOf(document);
    if (planned.error !== null) {
      void vscode.window.showErrorMessage(`Two Heads: ${planned.error}`);
      return;
    }
    const detail = planArithmetic(planned.plan).replaceAll(/[*`]/g, '');
    const open = 'Open Panel';
    if ((await vscode.window.showInformationMessage(planHeadline(planned.plan), { modal: true, detail }, open)) === open) {
      await this.targets.panel.reveal();
    }
  }

  /** The document's plan, once it is there. */
  private async planOf(document: vscode.TextDocument): Promise<NonNullable<ReturnType<PromptPlans['get']>>> {
    const { plans } = this.targets;
    const present = plans.get(document);
    if (present !== undefined && (present.error !== null || present.version === document.version)) {
      return present;
    }
    return new Promise((resolve) => {
      const listener = plans.onDidChange((changed) => {
        const latest = plans.get(document);
        if (changed === document && latest !== undefined) {
          listener.dispose();
          resolve(latest);
        }
      });
    });
  }

  private async chooseScenario(): Promise<void> {
    const { choices } = this.targets;
    const items = maskDefinitions.map(({ kind, title, description }) => ({
      label: title,
      description: kind === choices.choice.kind ? 'current' : '',
      detail: description,
      scenario: kind,
    }));
    const chosen = await vscode.window.showQuickPick(items, { title: 'Choose Scenario', placeHolder: 'Which tokens does a token see?' });
    const parameters = chosen && (await this.askParameters(chosen.scenario));
    if (chosen !== undefined && parameters !== undefined) {
      await choices.set({ kind: chosen.scenario, parameters: { ...choices.choice.parameters, ...parameters } });
    }
  }

  /** Asks for each parameter of a scenario; undefined where the user gave up. */
  private async askParameters(kind: ScenarioKind): Promise<ScenarioParameters | undefined> {
    const answers: Record<string, number> = {};
    const current: Readonly<Record<string, number | undefined>> = this.targets.choices.choice.parameters;
    for (const { name, title, description, minimum, maximum, default: standard } of maskDefinition(kind).parameters) {
      const answer = await askNumber(title, description, current[name] ?? standard, minimum, maximum);
      if (answer === undefined) {
        return undefined;
      }
      answers[name] = answer;
    }
    return answers;
  }

  private async chooseBlockSize(): Promise<void> {
    const { choices } = this.targets;
    const blockSize = await askNumber('Block size M', 'Tokens that one call of the small transformer reads.', choices.choice.blockSize, 2, maximumTokens);
    if (blockSize !== undefined) {
      await choices.set({ blockSize });
    }
  }
}

/** Asks for a whole number within limits. */
async function askNumber(title: string, prompt: string, value: number, minimum: number, maximum: number): Promise<number | undefined> {
  const answer = await vscode.window.showInputBox({
    title,
    prompt,
    value: String(value),
    validateInput: (text) => {
      try {
        wholeNumber(title, text, minimum, maximum);
        return undefined;
      } catch (error) {
        return messageOf(error);
      }
    },
  });
  return answer === undefined ? undefined : wholeNumber(title, answer, minimum, maximum);
}

function pathOf(document: vscode.TextDocument): string {
  return vscode.workspace.asRelativePath(document.uri);
}

/** Opens the sample as a document of its own, so that editing it changes nothing that is installed. */
async function openSample(sample: vscode.Uri): Promise<void> {
  const content = new TextDecoder().decode(await vscode.workspace.fs.readFile(sample));
  await vscode.window.showTextDocument(await vscode.workspace.openTextDocument({ language: 'markdown', content }));
}

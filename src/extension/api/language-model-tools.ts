import * as vscode from 'vscode';
import { CancelledError } from '../../core/errors';
import { inEnglish } from '../../core/l10n';
import { inContext } from '../lab/call-context';
import type { Lab } from './lab';
import type { Step } from '../tasks/single-task';
import { Disposable } from '../disposable';
import { planConfirmation, runConfirmation, type Confirmation } from '../tools/confirmation';
import { comparisonText, planText, reportJson, runText } from './result-text';
import type { ToolRequests } from '../tools/tool-requests';

/** What a tool does: says what it is about to do, and does it. */
interface Tool {
  prepare(input: unknown, signal: AbortSignal): Promise<Confirmation>;
  invoke(input: unknown, step: Step): Promise<{ readonly text: string; readonly report: object }>;
}

/** The tools that language models may call, once the user agrees; package.json says what they take. */
export class LanguageModelTools extends Disposable {
  constructor(
    private readonly lab: Lab,
    private readonly requests: ToolRequests,
    private readonly log: (line: string) => void,
  ) {
    super();
    // Editors that are built on VS Code may leave its language models out.
    const { lm } = vscode as Partial<typeof vscode>;
    if (lm !== undefined) {
      const tools = {
        twoHeads_plan_prompt: this.planPrompt(),
        twoHeads_simulate_prompt: this.simulatePrompt(),
        twoHeads_compare_scenarios: this.compareScenarios(),
      };
      Object.entries(tools).forEach(([name, tool]) => this.own(lm.registerTool(name, this.register(tool))));
    }
  }

  private planPrompt(): Tool {
    const { lab, requests } = this;
    return {
      prepare: async (input) => {
        const { prompt } = await requests.prompt(input);
        return planConfirmation(prompt.path, prompt.text.length);
      },
      invoke: async (input, { signal }) => {
        const { prompt, options } = await requests.prompt(input);
        const report = await lab.plan(prompt, options, signal);
        return { text: inEnglish(() => planText(report)), report };
      },
    };
  }

  private simulatePrompt(): Tool {
    const { lab, requests } = this;
    return {
      prepare: async (input, signal) => {
        const { prompt, options } = await requests.prompt(input);
        return runConfirmation([await lab.plan(prompt, options, signal)]);
      },
      invoke: async (input, step) => {
        const { prompt, options } = await requests.prompt(input);
        const report = await lab.simulate(prompt, options, step);
        return { text: inEnglish(() => runText(report)), report };
      },
    };
  }

  private compareScenarios(): Tool {
    const { lab, requests } = this;
    return {
      prepare: async (input, signal) => {
        const { prompt, options, wanted } = await requests.comparison(input);
        return runConfirmation((await lab.planComparison(prompt, options, wanted, signal)).plans);
      },
      invoke: async (input, step) => {
        const { prompt, options, wanted } = await requests.comparison(input);
        const report = await lab.compare(prompt, options, wanted, step);
        return { text: inEnglish(() => comparisonText(report)), report };
      },
    };
  }

  private register(tool: Tool): vscode.LanguageModelTool<unknown> {
    const within = <T>(token: vscode.CancellationToken, act: (step: Step) => Promise<T>): Promise<T> =>
      inContext({ token }, this.log, act).catch((error: unknown) => {
        throw error instanceof CancelledError ? new vscode.CancellationError() : error;
      });
    return {
      prepareInvocation: async ({ input }, token) => {
        const { title, message, progress } = await within(token, ({ signal }) => tool.prepare(input, signal));
        return { invocationMessage: plain(progress), confirmationMessages: { title, message: plain(message) } };
      },
      invoke: async ({ input }, token) => {
        const { text, report } = await within(token, (step) => tool.invoke(input, step));
        const parts = [text, reportJson(report)].filter((part) => part !== undefined);
        return new vscode.LanguageModelToolResult(parts.map((part) => new vscode.LanguageModelTextPart(part)));
      },
    };
  }
}

/** Text whose characters mean nothing but themselves: a file's name is not ours. */
function plain(text: string): vscode.MarkdownString {
  return new vscode.MarkdownString().appendText(text);
}

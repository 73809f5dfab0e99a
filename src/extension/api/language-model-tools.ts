import * as vscode from 'vscode';
import { adviceText } from '../../core/advise/text';
import { atlasText } from '../../core/atlas/text';
import { CancelledError } from '../../core/errors';
import { experimentText } from '../../core/evaluate/text';
import { formatCount, formatDuration, formatNumberOf } from '../../core/format';
import { inEnglish, t } from '../../core/l10n';
import { type ExperimentOutlook, leftMs } from '../../core/lab/outlook';
import { pick } from '../../core/options/option';
import { automaticBlock, optionTable, type SimulationOptions } from '../../core/options/table';
import { type ScenarioChoice, scenarioLabel } from '../../core/scenario/scenario';
import type { Prompt } from '../../engine/read/prompt';
import { Disposable } from '../disposable';
import type { Step } from '../tasks/single-task';
import { inContext } from './create-api';
import type { Lab } from './lab';
import { comparisonText, planText, reportJson, runText } from '../../core/report/result-text';
import type { WorkspaceRequests } from './tool-requests';

/** The confirmation shown before a run, and the message shown during it. */
interface Confirmation {
  readonly title: string;
  readonly message: string;
  readonly progress: string;
}

/** Confirmation before a prompt is planned. @param name of the file or the text @param characters of it */
function planConfirmation(name: string, characters: number): Confirmation {
  return {
    title: t('Plan {0}?', name),
    message: t(
      'Two Heads counts what {0} ({1}) costs. Nothing is run; the chat gets the numbers, not the text.',
      name,
      formatNumberOf(characters, 'character'),
    ),
    progress: t('Planning {0}', name),
  };
}

/**
 * Confirmation before a prompt is run. Nothing was planned for it: that, too, is work which the user agrees to.
 *
 * @param scenarios at least one
 */
export function runConfirmation(
  { path, text }: Pick<Prompt, 'path' | 'text'>,
  { model, blockSize }: SimulationOptions,
  scenarios: readonly ScenarioChoice[],
): Confirmation {
  const labels = scenarios.map(scenarioLabel);
  const texts =
    scenarios.length > 1
      ? {
          title: t('Compare {0} scenarios on {1}?', scenarios.length, path),
          progress: t('Comparing {0} scenarios on {1}', scenarios.length, path),
        }
      : { title: t('Simulate {0}?', path), progress: t('Simulating {0} under {1}', path, labels[0]) };
  const message = t(
    'Two Heads runs {0} ({1}) on this machine with {2}, M = {3}, under {4}. The chat gets the numbers, not the text.',
    path,
    formatNumberOf(text.length, 'character'),
    model,
    blockSize === automaticBlock ? optionTable.blockSize.value.zero.word : formatCount(blockSize),
    labels.join(', '),
  );
  return { ...texts, message };
}

/** Confirmation before an experiment file is run. The file is the workspace's, and was planned: it says itself what is measured. */
function experimentConfirmation(file: string, outlook: ExperimentOutlook): Confirmation {
  const { points, units, known, experiment, model } = outlook;
  const left = leftMs(outlook);
  const message = [
    t(
      'Two Heads measures {0} on this machine with {1}, {2} of {3} known already.',
      formatNumberOf(points.length, 'point'),
      model,
      formatCount(known),
      formatNumberOf(units, 'result'),
    ),
    ...(left === null ? [] : [t('That takes about {0}.', formatDuration(left))]),
    ...(experiment.results === null ? [] : [t('Results are written to {0}.', vscode.workspace.asRelativePath(experiment.results))]),
    t('The chat gets the numbers, not the text.'),
  ];
  return { title: t('Run the experiment {0}?', file), message: message.join(' '), progress: t('Running the experiment {0}', file) };
}

/** A tool: describes a call before it happens, and executes it. */
interface Tool {
  prepare(input: unknown): Promise<Confirmation>;
  invoke(input: unknown, step: Step): Promise<{ readonly text: string; readonly report: object }>;
}

/** The tools that language models may call with the user's consent; package.json declares their input. */
export class LanguageModelTools extends Disposable {
  constructor(
    private readonly lab: Lab,
    private readonly requests: WorkspaceRequests,
    private readonly log: (line: string) => void,
  ) {
    super();
    // Editors based on VS Code may lack its language model API.
    const { lm } = vscode as Partial<typeof vscode>;
    if (lm !== undefined) {
      const tools = {
        twoHeads_plan_prompt: this.planPrompt(),
        twoHeads_simulate_prompt: this.simulatePrompt(),
        twoHeads_compare_scenarios: this.compareScenarios(),
        twoHeads_atlas_prompt: this.atlasPrompt(),
        twoHeads_advise_prompt: this.advisePrompt(),
        twoHeads_run_experiment: this.runExperiment(),
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
      prepare: async (input) => {
        const { prompt, options } = await requests.prompt(input);
        return runConfirmation(prompt, options, [options.scenario]);
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
      prepare: async (input) => {
        const { prompt, options, wanted } = await requests.comparison(input);
        return runConfirmation(prompt, options, wanted.scenarios);
      },
      invoke: async (input, step) => {
        const { prompt, options, wanted } = await requests.comparison(input);
        const report = await lab.compare(prompt, options, wanted, step);
        return { text: inEnglish(() => comparisonText(report)), report };
      },
    };
  }

  private atlasPrompt(): Tool {
    const { lab, requests } = this;
    return {
      prepare: async (input) => {
        const { prompt, options } = await requests.prompt(input);
        const run = runConfirmation(prompt, options, [options.scenario]);
        return { ...run, title: t('Map the attention of {0}?', prompt.path), progress: t('Mapping the attention of {0}', prompt.path) };
      },
      invoke: async (input, step) => {
        const { prompt, options } = await requests.prompt(input);
        const report = await lab.atlas(prompt, options, step);
        return { text: inEnglish(() => atlasText(report)), report };
      },
    };
  }

  private advisePrompt(): Tool {
    const { lab, requests } = this;
    return {
      prepare: async (input) => {
        const { prompt, options } = await requests.advice(input);
        return {
          title: t('Find masks for {0}?', prompt.path),
          message: t(
            'Two Heads runs {0} ({1}) some 20 times on this machine with {2}. The chat gets the numbers, not the text.',
            prompt.path,
            formatNumberOf(prompt.text.length, 'character'),
            options.model,
          ),
          progress: t('Finding masks for {0}', prompt.path),
        };
      },
      invoke: async (input, step) => {
        const { prompt, options } = await requests.advice(input);
        const report = await lab.advise(prompt, options, step);
        return { text: inEnglish(() => adviceText(report)), report };
      },
    };
  }

  private runExperiment(): Tool {
    const { lab, requests } = this;
    return {
      prepare: async (input) => {
        const { given, request } = await requests.experiment(input);
        return experimentConfirmation(given, await lab.outlook(request));
      },
      invoke: async (input, step) => {
        const { given, request } = await requests.experiment(input);
        const summary = await lab.experiment(request, step);
        return { text: inEnglish(() => experimentText(given, summary)), report: pick(summary, 'verdict', 'points') };
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
        const { title, message, progress } = await within(token, () => tool.prepare(input));
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

/** Text without Markdown syntax or links: file names are not ours. */
function plain(text: string): vscode.MarkdownString {
  return new vscode.MarkdownString().appendText(text);
}

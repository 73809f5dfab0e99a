import { posix } from 'node:path';
import * as vscode from 'vscode';
import { InputError } from '../../core/errors';
import { quoted } from '../../core/text/printable';
import { Disposable } from '../disposable';
import { findExperiments } from './experiment-files';

/** As package.json names the kind of task and the matchers. */
const taskType = 'two-heads';
const problemMatchers = ['$two-heads', '$two-heads-budgets'];

/** Commands of the command line that take an experiment file. */
const commands = ['run', 'check'] as const;

/** Experiment files as tasks: `run` and `check` of the command line in a terminal, where others may depend on them. */
export class ExperimentTasks extends Disposable implements vscode.TaskProvider {
  /** @param entry of the bundled command line */
  constructor(private readonly entry: string) {
    super();
    this.own(vscode.tasks.registerTaskProvider(taskType, this));
  }

  async provideTasks(): Promise<vscode.Task[]> {
    const files = await findExperiments();
    return files.flatMap((uri) => {
      const folder = vscode.workspace.getWorkspaceFolder(uri);
      const experiment = vscode.workspace.asRelativePath(uri, false);
      return folder === undefined
        ? []
        : commands.map((command) => this.taskOf({ type: taskType, command, experiment }, folder, uri.fsPath));
    });
  }

  resolveTask({ definition, scope }: vscode.Task): vscode.Task | undefined {
    const { command, experiment } = definition as { readonly command?: unknown; readonly experiment?: unknown };
    const folder = typeof scope === 'object' ? scope : vscode.workspace.workspaceFolders?.at(0);
    if (folder === undefined || typeof experiment !== 'string') {
      return undefined;
    }
    if (!commands.some((each) => each === command)) {
      throw new InputError(`A task of Two Heads has command ${quoted(String(command))}; use ${commands.join(' or ')}.`);
    }
    return this.taskOf(definition, folder, vscode.Uri.joinPath(folder.uri, experiment).fsPath);
  }

  private taskOf(definition: vscode.TaskDefinition, folder: vscode.WorkspaceFolder, path: string): vscode.Task {
    const command = String(definition.command);
    const isCheck = command === 'check';
    // The editor's own program runs as Node with this variable.
    const options = { cwd: folder.uri.fsPath, env: { ELECTRON_RUN_AS_NODE: '1' } };
    const execution = new vscode.ProcessExecution(process.execPath, [this.entry, command, path, ...(isCheck ? ['--github'] : [])], options);
    const name = `${command} ${posix.basename(String(definition.experiment))}`;
    const task = new vscode.Task(definition, folder, name, 'Two Heads', execution, problemMatchers);
    if (isCheck) {
      task.group = vscode.TaskGroup.Test;
    }
    return task;
  }
}

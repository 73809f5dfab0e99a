import * as vscode from 'vscode';
import { t } from '../../core/l10n';
import type { ActivePrompt } from '../prompts/active-prompt';
import type { SingleTask } from '../tasks/single-task';
import { settingsSection } from '../settings';

/** An entry of the menu: a command with what it is given, or a separator, which has none. */
interface MenuItem extends vscode.QuickPickItem {
  readonly command?: string;
  readonly given?: readonly unknown[];
}

/** The menu of the status item: what can be done with what is in front, or with the run that is on. */
export async function showMenu(active: ActivePrompt, task: SingleTask): Promise<void> {
  const chosen = await vscode.window.showQuickPick(itemsOf(active, task), {
    title: 'Two Heads',
    placeHolder: t('What do you want to do?'),
  });
  if (chosen?.command !== undefined) {
    await vscode.commands.executeCommand(chosen.command, ...(chosen.given ?? []));
  }
}

function itemsOf({ prompt, front }: ActivePrompt, { activity }: SingleTask): MenuItem[] {
  const item = (icon: string, label: string, command: string): MenuItem => ({
    label: `$(${icon}) ${label}`,
    command: `twoHeads.${command}`,
  });
  const isIdle = activity.state !== 'running';
  const run = isIdle
    ? [
        item('play', t('Simulate This File'), 'simulateFile'),
        item('list-ordered', t('Plan Only (No Run)'), 'planOnly'),
        item('versions', t('Compare Scenarios'), 'compareScenarios'),
        item('edit', t('Continue Prompt'), 'continuePrompt'),
        item('graph', t('Evaluate Quality'), 'evaluate'),
      ]
    : [item('debug-stop', t('Cancel the Run'), 'cancel'), item('list-ordered', t('Plan Only (No Run)'), 'planOnly')];
  const ofPrompt = [
    ...(prompt?.editor === undefined ? [] : [item('flame', t('Go to Most Expensive Block'), 'goToExpensiveBlock')]),
    ...(prompt === undefined ? [] : [item('circle-slash', t('Stop Treating as Prompt'), 'stopTreatingAsPrompt')]),
  ];
  const separator = (label: string): MenuItem => ({ label, kind: vscode.QuickPickItemKind.Separator });
  return [
    ...(front === undefined ? [] : [...run, ...ofPrompt]),
    separator(t('choices')),
    item('filter', t('Choose Scenario'), 'chooseScenario'),
    item('symbol-ruler', t('Choose Block Size'), 'chooseBlockSize'),
    item('database', t('Choose a Model...'), 'chooseModel'),
    separator(t('views')),
    item('split-horizontal', t('Open Panel'), 'openPanel'),
    { label: `$(settings-gear) ${t('Settings of Hints')}`, command: 'workbench.action.openSettings', given: [`${settingsSection}.hints`] },
  ];
}

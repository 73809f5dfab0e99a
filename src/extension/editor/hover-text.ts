import * as vscode from 'vscode';
import { staleNote } from '../../core/hints/hints';
import { t } from '../../core/l10n';

/** A command that a hover leads to. */
interface Link {
  readonly title: string;
  readonly command: string;
}

/** Arithmetic as a tooltip, with a note if its figures are stale. */
export function noted(arithmetic: string, stale: boolean): vscode.MarkdownString {
  return new vscode.MarkdownString(stale ? `*${staleNote()}*\n\n${arithmetic}` : arithmetic);
}

/** The hover of a hint: its arithmetic, paragraph by paragraph, and below it what may be done. */
export function hintHover(arithmetic: readonly string[], stale: boolean): vscode.MarkdownString[] {
  const note = stale ? [`*${staleNote()}*`] : [];
  return [...[...note, ...arithmetic].map((part) => new vscode.MarkdownString(part)), links(partLinks())];
}

/** The hover of a prompt's beginning: as that of a hint, with what concerns the whole prompt. */
export function promptHover(arithmetic: readonly string[], stale: boolean, isCalibrated: boolean): vscode.MarkdownString[] {
  const calibrate = isCalibrated ? [] : [{ title: t('Calibrate This Machine'), command: 'twoHeads.calibrate' }];
  const prompt = [
    { title: t('Simulate'), command: 'twoHeads.simulateFile' },
    { title: t('Choose Scenario'), command: 'twoHeads.chooseScenario' },
  ];
  return [...hintHover(arithmetic, stale).slice(0, -1), links([...prompt, ...calibrate, ...partLinks()])];
}

function partLinks(): Link[] {
  return [
    { title: t('Go to Most Expensive Block'), command: 'twoHeads.goToExpensiveBlock' },
    { title: t('Open Panel'), command: 'twoHeads.openPanel' },
  ];
}

/** Links apart from the arithmetic: that has words of the user's settings in it, which may lead nowhere. */
function links(to: readonly Link[]): vscode.MarkdownString {
  const markdown = new vscode.MarkdownString(to.map(({ title, command }) => `[${title}](command:${command})`).join(' · '));
  markdown.isTrusted = { enabledCommands: to.map(({ command }) => command) };
  return markdown;
}

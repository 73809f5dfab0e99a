import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Command } from 'vscode';
import type { BudgetCheck } from '../../../src/core/evaluate/budget-checks';
import type { ExperimentOutlook } from '../../../src/core/lab/outlook';
import { activated } from '../../support/host';
import { executeCommand } from '../../support/workbench/commands';
import { edit, type FakeDocument, openDocument } from '../../support/workbench/documents';
import { controllers, problems, taskProviders, workspaceFiles } from '../../support/workbench/experiments';
import { openFolders, restrict } from '../../support/workbench/files';
import { codeActions, codeLenses } from '../../support/workbench/languages';
import { CodeActionTriggerKind, Uri } from '../../support/workbench/values';

const outlook = { points: [{}, {}], units: 8, known: 3, predictedMs: 25_000 } as unknown as ExperimentOutlook;

function experiment(folder: string, fields: object): FakeDocument {
  const path = join(folder, 'a.two-heads.json');
  const content = JSON.stringify({ version: 1, prompts: ['tour.md'], ...fields });
  writeFileSync(join(folder, 'tour.md'), 'text');
  writeFileSync(path, content);
  return openDocument(path, content);
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe('an experiment file in the editor', () => {
  it('is marked where it names what is not there, with what may have been meant', async () => {
    const { folder } = await activated();
    const document = experiment(folder, { scenarios: ['slidng-window:64'] });
    await until(() => problems.size > 0);
    const [found] = [...problems.values()];
    expect(found.map(({ source, message }) => [source, message])).toEqual([['Two Heads', expect.stringContaining('"slidng-window"')]]);
    const actions = await codeActions(document, CodeActionTriggerKind.Automatic, found);
    expect(actions.map(({ title, isPreferred }) => [title, isPreferred])).toEqual([['Use "sliding-window:64"', true]]);
    // What was found has other places in a later text.
    edit(document, { from: 0, text: '\n' });
    expect(await codeActions(document, CodeActionTriggerKind.Automatic, found)).toEqual([]);
  });

  it('is not looked at where the workspace is not trusted', async () => {
    const { folder } = await activated({ prepare: restrict });
    experiment(folder, { scenarios: ['slidng-window:64'] });
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(problems.size).toBe(0);
  });

  it('has lenses with its points, its time and what is measured, once they are known', async () => {
    const { folder, engine } = await activated();
    const document = experiment(folder, {});
    await until(() => problems.size > 0);
    const titles = async (): Promise<(string | undefined)[]> => (await codeLenses(document)).map(({ command }) => command?.title);
    expect((await titles())[0]).toBe('$(play) Run Experiment');
    (await engine.next('outlook')).resolve(outlook);
    await new Promise((resolve) => setTimeout(resolve));
    expect(await titles()).toEqual(['$(play) Run 2 points · about 25.0 s · 3 of 8 results measured', 'Open Lab']);
  });
});

describe('a sweep of windows', () => {
  it('is added to the text that was looked at, and to no later one, where its place may be another', async () => {
    const { folder } = await activated();
    const document = experiment(folder, { scenarios: ['sliding-window:64'] });
    const title = 'Add a Sweep of Windows';
    let offered: Command | undefined;
    while (offered === undefined) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      offered = (await codeLenses(document)).find(({ command }) => command?.title === title)?.command;
    }
    const add = (): unknown => executeCommand('twoHeads.addSweep', document.uri);
    edit(document, { from: 0, text: '\n' });
    await add();
    expect(document.getText()).not.toContain('sliding-window:128');
    // Once it has been looked at again.
    while (!document.getText().includes('sliding-window:128')) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      await add();
    }
    expect((JSON.parse(document.getText()) as { scenarios: string[] }).scenarios).toHaveLength(5);
  });
});

describe('the budgets of experiment files', () => {
  const check = (kept: boolean): BudgetCheck => ({
    prompt: 'tour.md',
    scenario: 'causal',
    blockSize: 256,
    budget: 'kl',
    limit: 0.1,
    allowed: 0.1,
    value: kept ? 0.05 : 0.2,
    kept,
  });

  it('are tests that fail where one is broken', async () => {
    const { folder, engine } = await activated();
    workspaceFiles.push(experiment(folder, { budgets: { kl: 0.1 } }).uri);
    const [tests] = controllers;
    const running = tests.runAll();
    const call = await engine.next('check');
    expect(call.argument).toEqual({ file: join(folder, 'a.two-heads.json') });
    call.resolve([check(true), check(false)]);
    await running;
    expect(tests.told.map(([what]) => what)).toEqual(['enqueued', 'started', 'failed']);
    expect(tests.told.at(-1)?.slice(2)).toEqual(['tour.md under causal, M = 256 has mean KL 0.2, over 0.1']);
    const again = tests.runAll();
    (await engine.next('check')).resolve([check(true)]);
    await again;
    expect(tests.told.at(-1)?.[0]).toBe('passed');
  });

  it('are no tests of a file that has none', async () => {
    const { folder } = await activated();
    workspaceFiles.push(experiment(folder, {}).uri);
    await controllers[0].runAll();
    expect(controllers[0].items.size).toBe(0);
  });

  it('are tasks, too, which the command line does', async () => {
    const { folder } = await activated();
    openFolders(folder);
    workspaceFiles.push(Uri.file(join(folder, 'a.two-heads.json')));
    const provider = taskProviders.get('two-heads');
    const found = (await provider?.provideTasks({} as never)) ?? [];
    expect(found.map(({ name, execution }) => [name, (execution as unknown as { args: string[] }).args.slice(1)])).toEqual([
      ['run a.two-heads.json', ['run', join(folder, 'a.two-heads.json')]],
      ['check a.two-heads.json', ['check', join(folder, 'a.two-heads.json'), '--github']],
    ]);
  });
});

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import * as vscode from 'vscode';
import { CancelledError } from '../../../src/core/errors';
import { activated, openPrompt, run } from '../../support/host';
import { evaluationOf, ledgerOf } from '../../support/records';
import { RecordFiles, recordOf } from '../../../src/engine/store/records';
import { executed } from '../../support/workbench/commands';
import { script, textsOf } from '../../support/workbench/dialogs';
import { edit, openDocument } from '../../support/workbench/documents';
import { show } from '../../support/workbench/editors';
import { restrict } from '../../support/workbench/files';
import { set } from '../../support/workbench/settings';

const text = 'First line.\nSecond line.\nThird line.\n';

const made = evaluationOf();
const summary = { ...made, prompts: [made.prompts[0], made.prompts[0]] };

describe('an evaluation', () => {
  it('is of the prompt in front under every scenario that it can have', async () => {
    const { engine } = await activated({ prepare: () => set('twoHeads.scenario', 'causal') });
    await openPrompt(text.repeat(50));
    script.picks.push('Predictions by Position');
    const running = run('evaluate');
    const call = await engine.next('evaluate');
    expect(call.argument).toMatchObject({
      experiment: { prompts: ['/prompts/prompt.md'], blocks: [256], model: 'tiny-docs-5m', retrieval: null },
      texts: [{ path: '/prompts/prompt.md', text: text.repeat(50) }],
      // As its plan is read.
      source: { as: 'auto', languageId: 'markdown' },
    });
    const { scenarios } = (call.argument as unknown as { experiment: { scenarios: string[] } }).experiment;
    expect(scenarios[0]).toBe('causal');
    expect(scenarios.length).toBeGreaterThan(2);
    call.resolve({ ...summary, changedLines: 2 });
    await running;
    expect(textsOf('information')).toEqual([
      'Two Heads: Evaluated 2 points of 2 on 2 prompts. Mean KL under sliding-window(window 8): 0.5 nats. 2 lines of the results file changed since it was written: not used, and measured again.',
    ]);
    const [own, masked] = made.points;
    const worse = evaluationOf({}, 0.75).points[1];
    const failed = { ...evaluationOf({}, 0.25).points[1], verdict: { ...masked.verdict, kind: 'failed' as const } };
    script.picks.push('Predictions by Position');
    const several = run('evaluate');
    (await engine.next('evaluate')).resolve({ ...made, points: [own, failed, worse, masked] });
    await several;
    expect(textsOf('information')[1]).toMatch(/Least mean KL: sliding-window\(window 8\), 0\.5 nats\.$/);
    script.picks.push('Predictions and Retrieval');
    const again = run('evaluate');
    const second = await engine.next('evaluate');
    expect((second.argument as unknown as { experiment: { retrieval: unknown } }).experiment.retrieval).not.toBeNull();
    second.reject(new CancelledError());
    await again;
    script.picks.push(undefined);
    await run('evaluate');
    expect(engine.calls).toHaveLength(3);
  });

  it('is refused where the prompt has no plan', async () => {
    const { engine } = await activated();
    await openPrompt('');
    script.picks.push('Predictions by Position');
    await run('evaluate');
    expect(engine.calls).toEqual([]);
    expect(textsOf('error')).toEqual(['Two Heads: This prompt is empty.']);
  });

  it('may be what an experiment file says, which is saved first', async () => {
    const { engine, folder } = await activated();
    const path = join(folder, 'window.two-heads.json');
    writeFileSync(path, '{}');
    const document = openDocument(path, '{}');
    edit(document, { from: 1, text: '"blocks": [64]' });
    show(document);
    const running = run('runExperiment');
    const call = await engine.next('evaluate');
    expect(call.argument).toEqual({ file: path });
    expect(readFileSync(path, 'utf8')).toBe('{"blocks": [64]}');
    call.resolve(summary);
    script.press = ({ buttons }) => buttons.find((button) => button === 'Open Lab');
    await running;
    // Its lab opens beside it, and by the notification again.
    expect(executed.map(({ command, given }) => [command, given[1]])).toEqual(Array(2).fill(['vscode.openWith', 'twoHeads.lab']));
    const { records } = await new RecordFiles(join(folder, 'workspace-storage', 'runs')).read();
    expect(records).toEqual([recordOf({ kind: 'evaluation', origin: null, file: path, report: summary })]);
  });

  it('has a lab beside its text where that is in front, and in a place of its own from a list of files', async () => {
    const { folder } = await activated();
    const document = openDocument(join(folder, 'window.two-heads.json'), '{}');
    show(document);
    await run('openLab');
    await run('openLab', vscode.Uri.file(join(folder, 'other.two-heads.json')));
    const beside = { viewColumn: vscode.ViewColumn.Beside, preserveFocus: true };
    expect(executed.map(({ given }) => given.slice(1))).toEqual([['twoHeads.lab', beside], ['twoHeads.lab']]);
  });

  it('is not what another file says, or one of a workspace that is not trusted', async () => {
    const { engine, folder } = await activated({ prepare: restrict });
    await run('runExperiment');
    show(openDocument('/data.json', '{}'));
    await run('runExperiment');
    expect(textsOf('warning')).toEqual(Array(2).fill(expect.stringContaining('open an experiment file (*.two-heads.json) first')));
    show(openDocument(join(folder, 'a.two-heads.json'), '{}'));
    await run('runExperiment');
    expect(textsOf('error')).toEqual([expect.stringContaining('trust the workspace to run it')]);
    expect(engine.calls).toEqual([]);
  });
});

describe('the ledger', () => {
  it('needs no prompt', async () => {
    const { engine } = await activated({ prepare: () => set('twoHeads.threads', 2) });
    const running = run('runLedger');
    const call = await engine.next('ledger');
    expect(call.argument).toMatchObject({ threads: 2, tokens: 1000 });
    call.resolve(ledgerOf());
    await running;
    expect(textsOf('information')).toEqual(['Two Heads: Ledger of 2 rows: all exact or within their stated errors.']);
  });
});

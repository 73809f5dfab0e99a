import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import * as vscode from 'vscode';
import { InputError } from '../../../src/core/errors';
import type { RunReport } from '../../../src/core/report/report';
import type { Scenario } from '../../../src/core/scenario/scenario';
import { RecordFiles } from '../../../src/engine/store/records';
import { activated, openPrompt, Panel, run } from '../../support/host';
import { finishComparison, reportFor } from '../../support/host-reports';
import { atlasOf, continuationOf } from '../../support/records';
import { contextKeys, executed } from '../../support/workbench/commands';
import { messages, script, shownInputs, textsOf } from '../../support/workbench/dialogs';
import { closeDocument, openTextDocument, textDocuments } from '../../support/workbench/documents';
import { editors, focus, select } from '../../support/workbench/editors';
import { settled } from '../../support/workbench/events';
import { openFolders } from '../../support/workbench/files';
import { shownLenses } from '../../support/workbench/languages';
import { set } from '../../support/workbench/settings';
import { logged, progresses, shownLogs, webviewPanels } from '../../support/workbench/views';

const text = 'First line.\nSecond line.\nThird line.\n';

describe('a simulation', () => {
  it('is of the prompt in front, with the settings and the choice, and says how it came out', async () => {
    const { engine } = await activated();
    openFolders('/prompts');
    set('twoHeads.threads', 3);
    set('twoHeads.verify', 'dense');
    set('twoHeads.memoryLimit', 512);
    set('twoHeads.oracleHeads', 2);
    set('twoHeads.scenario', 'full');
    await openPrompt(text);
    const running = run('simulateFile');
    const call = await engine.next('simulate');
    expect(call.argument).toMatchObject({
      path: 'prompt.md',
      text,
      options: {
        scenario: { kind: 'full' },
        blockSize: 256,
        threads: 3,
        verify: 'dense',
        memoryLimit: 512 * 1024 ** 2,
        model: 'tiny-docs-5m',
        oracleHeads: 2,
        oracleLayers: 1,
      },
    });
    expect(progresses[0].options).toMatchObject({ location: vscode.ProgressLocation.Notification, cancellable: true });
    call.progress(0.25, 'projecting');
    call.progress(0.75, 'attending');
    expect(progresses[0].reports).toEqual([
      { message: 'full', increment: 0 },
      { message: 'full: projecting', increment: 25 },
      { message: 'full: attending', increment: 50 },
    ]);
    expect(contextKeys.get('twoHeads.running')).toBe(true);
    script.press = ({ buttons }) => buttons[0];
    const report = await reportFor(call);
    call.resolve(report);
    await running;
    await settled();
    const said = `${report.prompt.tokens} tokens in 1.23 s: ${report.run.calls.total} calls, max abs error 3.1e-7. Mean KL: 0.25 nats.`;
    expect(textsOf('information')).toEqual([`Two Heads: ${said}`]);
    expect(logged).toContainEqual({ level: 'info', line: said });
    expect(executed).toEqual([{ command: 'twoHeads.panel.focus', given: [] }]);
    expect(progresses[0].ended).toBe(true);
    expect(contextKeys.get('twoHeads.running')).toBe(false);
  });

  it('may be of a selection, which must not be empty', async () => {
    const { engine } = await activated();
    const { editor } = await openPrompt(text);
    await run('simulateSelection');
    expect(textsOf('warning')).toEqual(['Two Heads: nothing is selected; select the text to run.']);
    select(editor, new vscode.Range(0, 6, 1, 6));
    const running = run('simulateSelection');
    const call = await engine.next('simulate');
    expect(call.argument).toMatchObject({ path: '/prompts/prompt.md#L1-L2', text: 'line.\nSecond' });
    call.resolve({ ...(await reportFor(call)), fidelity: null, quality: null });
    await running;
    expect(textsOf('information')).toEqual([expect.stringMatching(/^Two Heads: \d+ tokens in 1\.23 s: \d+ calls\.$/)]);
  });

  it('tells why it failed, in the log too', async () => {
    const { engine } = await activated();
    await openPrompt(text);
    script.press = () => 'Show Log';
    const running = run('simulateFile');
    (await engine.next('simulate')).reject(new Error('The engine process ended (SIGKILL); run again to start a new one.'));
    await running;
    await settled();
    expect(textsOf('error')).toEqual(['Two Heads: The engine process ended (SIGKILL); run again to start a new one.']);
    expect(logged).toEqual([{ level: 'error', line: 'The engine process ended (SIGKILL); run again to start a new one.' }]);
    expect(shownLogs).toEqual(['Two Heads']);
  });

  it('does not begin where a choice or a setting means nothing', async () => {
    const { engine } = await activated();
    await openPrompt(text);
    set('twoHeads.blockSize', 1);
    await run('simulateFile');
    set('twoHeads.blockSize', 64);
    set('twoHeads.construction', 'loose');
    await run('simulateFile');
    expect(engine.calls).toEqual([]);
    expect(textsOf('error')).toEqual([expect.stringContaining('Block size'), expect.stringContaining('loose')]);
  });
});

/** The scenarios of the runs that were kept, oldest first. */
async function keptScenarios(folder: string): Promise<Scenario[]> {
  const { records } = await new RecordFiles(join(folder, 'workspace-storage', 'runs')).read();
  return records.flatMap((record) => (record.kind === 'run' ? [record.report.scenario] : [])).reverse();
}

describe('a comparison', () => {
  it('is one call for every scenario, and names those that the prompt cannot have', async () => {
    const { engine, folder } = await activated({
      prepare: () => {
        set('twoHeads.window', 600);
        set('twoHeads.blockSize', 16);
        set('twoHeads.construction', 'paper');
      },
    });
    await openPrompt(text);
    const running = run('compareScenarios');
    const call = await engine.next('compare');
    expect(call.argument.scenarios.map(({ kind }) => kind)).toEqual([
      'full',
      'causal',
      'sliding-window',
      'attention-sink',
      'local-window',
      'average-case',
      'top-k',
      'adaptive',
    ]);
    expect(call.argument.named).toBe(false);
    const { runs, refused } = await finishComparison(call);
    expect(refused.length).toBeGreaterThan(0);
    await running;
    const [said] = textsOf('information');
    expect(said).toMatch(
      new RegExp(
        `^Two Heads: Compared ${runs.length} scenarios on \\d+ tokens\\. Fastest: full, 1\\.23 s; fewest calls: .*; least mean KL: full, 0\\.25 nats\\. Skipped `,
      ),
    );
    expect(said).toContain(refused[0].reason);
    expect(progresses).toHaveLength(1);
    expect((await keptScenarios(folder)).map(({ kind }) => kind).sort()).toEqual(runs.map(({ scenario }) => scenario.kind).sort());
  });

  it('keeps the runs that had ended when it is cancelled', async () => {
    const { engine, api, folder } = await activated();
    const heard: RunReport[] = [];
    api.onDidFinishRun((report) => heard.push(report));
    await openPrompt(text);
    const running = run('compareScenarios');
    const call = await engine.next('compare');
    const { path, text: read, options } = call.argument;
    const ended = await reportFor({ argument: { path, text: read, options: { ...options, scenario: { kind: 'full' } } } });
    call.run(ended);
    progresses.at(-1)?.cancel();
    await running;
    expect(textsOf('information')).toEqual(['Two Heads: the run was cancelled.']);
    expect(heard).toEqual([ended]);
    expect(await keptScenarios(folder)).toEqual([{ kind: 'full' }]);
  });

  it('has the custom mask among them where it is chosen, says so where none can be, and tells a failure', async () => {
    const { engine } = await activated({ prepare: () => set('twoHeads.scenario', 'custom') });
    await openPrompt(text);
    const running = run('compareScenarios');
    const call = await engine.next('compare');
    expect(call.argument.scenarios.at(-1)?.kind).toBe('custom');
    call.reject(new InputError('No.'));
    await running;
    expect(textsOf('error')).toEqual(['Two Heads: No.']);
    const again = run('compareScenarios');
    (await engine.next('compare')).reject(new Error('crashed'));
    await again;
    expect(textsOf('error')[1]).toBe('Two Heads: crashed');
  });
});

describe('a continuation', () => {
  it('is shown beside its prompt, the latest in place of the one before, and is no prompt itself, where there is nothing to compare it with', async () => {
    const { engine } = await activated();
    const { editor } = await openPrompt(text);
    const carryOn = async (added: string): Promise<void> => {
      script.inputs.push(['0', '100000', '5']);
      const running = run('continuePrompt');
      const call = await engine.next('generate');
      expect(call.argument).toMatchObject({ text, generation: { tokens: 5, temperature: 0, baseline: true } });
      call.resolve(continuationOf({ path: '/prompts/prompt.md' }, null, added.split(' ')));
      await running;
      await settled();
    };
    await carryOn('and so on');
    expect(shownInputs[0].refusals).toHaveLength(2);
    const shown = editors.visible.find(({ viewColumn }) => viewColumn === 2);
    expect(editors.active).toBe(editor);
    expect(shown?.document.uri.path).toBe('/Continuation of prompt.md.txt');
    expect(shown?.document.getText()).toContain('  |  and so on');
    focus(shown);
    expect((await new Panel().snapshot()).document).toBeNull();
    await run('simulateFile');
    expect(textsOf('warning')).toEqual([expect.stringContaining('Continuation of prompt.md.txt (two-heads-continuation) is read-only')]);
    focus(editor);
    await carryOn('or not');
    const next = editors.visible.find(({ viewColumn }) => viewColumn === 2);
    expect(next?.document.getText()).toContain('  |  or not');
    // It is read again from the history, until it is deleted there.
    for (const left of ['  |  or not', 'This continuation was deleted.']) {
      closeDocument(textDocuments.find(({ uri }) => uri === next?.document.uri) as never);
      expect((await openTextDocument(next?.document.uri as vscode.Uri)).getText()).toContain(left);
      script.press = ({ kind }) => (kind === 'warning' ? 'Delete' : undefined);
      await run('clearHistory');
    }
  });

  it('is a diff beside its prompt where there is that under its own attention', async () => {
    const { engine } = await activated();
    const { editor } = await openPrompt(text);
    script.inputs.push(['4']);
    const running = run('continuePrompt');
    (await engine.next('generate')).resolve(continuationOf());
    await running;
    expect(executed).toMatchObject([
      { command: 'vscode.diff', given: [{}, {}, expect.any(String), { viewColumn: -2, preserveFocus: true }] },
    ]);
    expect(editors.active).toBe(editor);
    expect(editors.visible).toHaveLength(3);
  });

  it('is not asked of the engine without an answer, and not shown where it failed', async () => {
    const { engine } = await activated();
    await openPrompt(text);
    script.inputs.push([undefined]);
    await run('continuePrompt');
    expect(engine.calls).toEqual([]);
    script.inputs.push(['5']);
    const running = run('continuePrompt');
    (await engine.next('generate')).reject(new InputError('No weights.'));
    await running;
    expect(textsOf('error')).toEqual(['Two Heads: No weights.']);
    expect(editors.visible).toHaveLength(1);
  });
});

describe('an atlas', () => {
  it('is of the prompt in front under the chosen mask, kept, and shown', async () => {
    const { engine, folder } = await activated({ prepare: () => set('twoHeads.scenario', 'sliding-window') });
    await openPrompt(text);
    const running = run('atlas');
    const call = await engine.next('atlas');
    expect(progresses.at(-1)?.reports).toEqual([{ message: 'where attention goes', increment: 0 }]);
    expect(call.argument).toMatchObject({ text, options: { scenario: { kind: 'sliding-window' } }, source: { languageId: 'markdown' } });
    call.resolve(atlasOf({ path: '/prompts/prompt.md' }));
    await running;
    expect(webviewPanels[0].title).toBe('Lab: prompt.md');
    const { records } = await new RecordFiles(join(folder, 'workspace-storage', 'runs')).read();
    expect(records.map(({ kind, origin }) => [kind, origin?.options.scenario.kind])).toEqual([['atlas', 'sliding-window']]);
  });
});

describe('the sample prompt', () => {
  it('is opened as a document of its own where there is no prompt', async () => {
    const { engine } = await activated();
    script.press = () => 'Open the Sample Prompt';
    await run('simulateFile');
    expect(engine.calls).toEqual([]);
    const document = editors.active?.document;
    expect(document?.isUntitled).toBe(true);
    expect(document?.languageId).toBe('markdown');
    expect(document?.getText()).toContain('# A prompt to try Two Heads on');
    expect((await shownLenses(document as never)).length).toBeGreaterThan(1);
    await run('openSamplePrompt');
    expect(textDocuments).toHaveLength(2);
    expect(messages).toHaveLength(1);
  });
});

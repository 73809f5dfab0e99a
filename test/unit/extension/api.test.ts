import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import * as vscode from 'vscode';
import { CancelledError, InputError } from '../../../src/core/errors';
import type { RunReport } from '../../../src/core/report/report';
import { activated, openPrompt, Panel, run } from '../../support/host';
import { finishComparison, reportFor } from '../../support/host-reports';
import { root } from '../../support/paths';
import { messages, textsOf } from '../../support/workbench/dialogs';
import { listenerCount, settled } from '../../support/workbench/events';
import { set } from '../../support/workbench/settings';
import { logged, progresses } from '../../support/workbench/views';

const text = 'The quick brown fox jumps over the lazy dog. '.repeat(30);

describe('plan', () => {
  it('counts a text with the settings and the choice of the user, and runs nothing', async () => {
    const { api, engine } = await activated();
    set('twoHeads.blockSize', 64);
    set('twoHeads.scenario', 'full');
    const plan = await api.plan(text);
    expect(plan).toMatchObject({
      prompt: { path: 'text' },
      scenario: { kind: 'full' },
      oracle: { inputLength: 64 },
      model: { name: 'tiny-docs-5m' },
    });
    expect(JSON.stringify(plan)).not.toContain('quick brown');
    const other = await api.plan(text, { path: 'a.md', blockSize: 128, scenario: { kind: 'sliding-window', window: 32 }, maxTokens: 100 });
    expect(other).toMatchObject({
      prompt: { path: 'a.md', sha256: plan.prompt.sha256 },
      scenario: { kind: 'sliding-window', window: 32 },
      oracle: { inputLength: 128 },
    });
    expect(other.plan.calls.total).toBeLessThan(plan.plan.calls.total);
    expect(engine.calls).toEqual([]);
  });

  it('refuses what is no text and what means nothing', async () => {
    const { api } = await activated();
    await expect(api.plan(7 as never)).rejects.toThrow(InputError);
    await expect(api.plan(7 as never)).rejects.toThrow('A text of type number is not possible; give the prompt as a string.');
    await expect(api.plan('')).rejects.toThrow('text is empty');
    await expect(api.plan(text, { blockSize: 1 })).rejects.toThrow(InputError);
    await expect(api.plan(text, { model: '/nowhere' })).rejects.toThrow(InputError);
    await expect(api.plan(text, {}, { token: {} as never })).rejects.toThrow('context.token is no CancellationToken');
    set('twoHeads.blockSize', 1);
    await expect(api.plan(text)).rejects.toThrow('Block size');
  });

  it('is cancelled by a token or a signal', async () => {
    const { api } = await activated();
    const source = new vscode.CancellationTokenSource();
    source.cancel();
    await expect(api.plan(text, {}, { token: source.token })).rejects.toThrow(CancelledError);
    await expect(api.plan(text, {}, { signal: AbortSignal.abort() })).rejects.toThrow(CancelledError);
    // The caller may keep a token for long: a call that has ended no longer listens to it.
    const before = listenerCount();
    await api.plan(text, {}, { token: new vscode.CancellationTokenSource().token });
    expect(listenerCount()).toBe(before);
  });

  it('says in English what the editor says otherwise', async () => {
    const german = JSON.parse(readFileSync(join(root, 'l10n', 'bundle.l10n.de.json'), 'utf8')) as Record<string, string>;
    const { api } = await activated({ prepare: () => void Object.assign(vscode.l10n, { bundle: german }) });
    const { plan } = await api.plan(text, { blockSize: 4096 });
    expect(plan.notes).toEqual([expect.stringMatching(/^Block size 4096 holds all \d+ tokens: there is one block\.$/)]);
    expect(german).toHaveProperty(['Block size {0} holds all {1} tokens: there is one block.']);
    await openPrompt(text);
    await run('planOnly');
    expect(messages[0].buttons).toEqual([german['Open Panel']]);
    expect(german['Open Panel']).not.toBe('Open Panel');
  });
});

describe('simulate', () => {
  it('runs a text, keeps the run, and tells of it', async () => {
    const { api, engine } = await activated();
    const panel = new Panel();
    const finished: RunReport[] = [];
    api.onDidFinishRun((report) => finished.push(report));
    const heard: number[] = [];
    const running = api.simulate(text, { blockSize: 64 }, { onProgress: ({ fraction }) => heard.push(fraction) });
    const call = await engine.next('simulate');
    expect(call.argument).toMatchObject({ path: 'text', text, options: { blockSize: 64, scenario: { kind: 'native' } } });
    call.progress(0.5);
    expect(heard).toEqual([0.5]);
    expect((await panel.snapshot()).activity).toMatchObject({ state: 'running', progress: { fraction: 0.5 } });
    const report = await reportFor(call);
    call.resolve(report);
    expect(await running).toBe(report);
    expect(finished).toEqual([report]);
    const { runs } = await panel.snapshot();
    expect(runs.map((kept) => kept.report)).toEqual([report]);
    // It is not told to the user, who did not ask.
    expect(textsOf('information')).toEqual([]);
    await run('rerun', { kind: 'record', record: { ...runs[0], kind: 'run', origin: null } });
    expect(textsOf('warning')).toEqual([expect.stringContaining("its options weren't saved")]);
  });

  it('waits for its turn, behind the user and those who asked before', async () => {
    const { api, engine } = await activated();
    await openPrompt(text);
    const own = run('simulateFile');
    const first = await engine.next('simulate');
    const source = new vscode.CancellationTokenSource();
    const second = api.simulate('second');
    const third = api.simulate('third', {}, { token: source.token });
    const fourth = api.simulate('fourth');
    await settled();
    expect(engine.calls).toHaveLength(1);
    const left = expect(third).rejects.toThrow(CancelledError);
    source.cancel();
    await left;
    first.resolve(await reportFor(first));
    await own;
    const next = await engine.next('simulate');
    expect(next.argument.text).toBe('second');
    // The user cancels what is on, and not those who wait.
    const stopped = expect(second).rejects.toThrow(CancelledError);
    await run('cancel');
    await stopped;
    const last = await engine.next('simulate');
    expect(last.argument.text).toBe('fourth');
    last.reject(new Error('crashed'));
    await expect(fourth).rejects.toThrow('crashed');
    expect(textsOf('error')).toEqual([]);
    expect(logged.filter(({ line }) => line.startsWith('A run that was asked for ended: '))).toHaveLength(3);
  });

  it('is refused where too many wait', async () => {
    const { api, engine, deactivate } = await activated();
    const running = Array.from({ length: 17 }, async () => api.simulate(text).catch((error: unknown) => (error as Error).name));
    await engine.next('simulate');
    await settled();
    await expect(api.simulate(text)).rejects.toThrow('16 runs are waiting already');
    // All that waits ends with the extension.
    deactivate();
    expect(await Promise.all(running)).toEqual(Array(17).fill('CancelledError'));
  });
});

describe('compare', () => {
  it('runs the scenarios in one call, tells each run as it ends, and has one progress over all', async () => {
    const { api, engine } = await activated();
    const heard: number[] = [];
    const ended: RunReport[] = [];
    api.onDidFinishRun((report) => ended.push(report));
    const running = api.compare(
      text,
      { scenarios: [{ kind: 'causal' }, { kind: 'native' }, { kind: 'sliding-window', window: 9 }], blockSize: 64 },
      { onProgress: ({ fraction }) => heard.push(fraction) },
    );
    const call = await engine.next('compare');
    expect(call.argument).toMatchObject({
      named: true,
      scenarios: [{ kind: 'causal' }, { kind: 'native' }, { kind: 'sliding-window', window: 9 }],
    });
    call.progress(0.5);
    const finished = await finishComparison(call);
    expect(await running).toEqual(finished);
    expect(ended).toEqual(finished.runs);
    expect(heard).toEqual([0.5]);
    expect(progresses).toHaveLength(1);
  });

  it('takes every scenario where none is named, and names those that are refused', async () => {
    const { api, engine } = await activated();
    set('twoHeads.window', 600);
    const running = api.compare(text, { construction: 'paper', blockSize: 16 });
    const call = await engine.next('compare');
    expect(call.argument).toMatchObject({ named: false });
    await finishComparison(call);
    const { refused, runs } = await running;
    expect(refused.length).toBeGreaterThan(0);
    expect([...runs, ...refused].map(({ scenario }) => scenario.kind).sort()).toEqual(
      ['adaptive', 'attention-sink', 'average-case', 'causal', 'full', 'local-window', 'sliding-window', 'top-k'].sort(),
    );
    const [{ scenario, reason }] = refused;
    await expect(api.compare(text, { construction: 'paper', blockSize: 16, scenarios: [scenario as never] })).rejects.toThrow(reason);
  });
});

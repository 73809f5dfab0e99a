import { describe, expect, it, onTestFinished, vi } from 'vitest';
import * as vscode from 'vscode';
import type { LedgerReport } from '../../../src/core/ledger/report';
import { activated, openPrompt, Panel, run } from '../../support/host';
import { reportFor } from '../../support/host-reports';
import { withMarkedNumbers } from '../../../src/protocol/numbers';
import { evaluationOf, ledgerOf } from '../../support/records';
import { reportOf } from '../../support/reports';
import { contextKeys, executed } from '../../support/workbench/commands';
import { script, textsOf } from '../../support/workbench/dialogs';
import { edit, openDocument } from '../../support/workbench/documents';
import { show } from '../../support/workbench/editors';
import { settled } from '../../support/workbench/events';
import { set, userSettings } from '../../support/workbench/settings';
import { logged, openView, webviewPanels, webviewViews } from '../../support/workbench/views';

const text = 'The quick brown fox jumps over the lazy dog. '.repeat(60);

describe('the page', () => {
  it('runs its one script under a policy that allows nothing else', async () => {
    await activated({
      prepare: () => void Object.assign(vscode.l10n, { bundle: { 'Say "<b>" & more': 'Sag "<b>" & mehr' } }),
    });
    const { webview } = new Panel().view;
    const { html, cspSource } = webview;
    const policy = /http-equiv="Content-Security-Policy" content="([^"]+)"/.exec(html)?.[1] ?? '';
    const nonce = /script-src 'nonce-([^']+)'/.exec(policy)?.[1] ?? '';
    expect(Buffer.from(nonce, 'base64')).toHaveLength(16);
    expect(policy.split('; ')).toEqual([
      "default-src 'none'",
      `script-src 'nonce-${nonce}'`,
      `style-src ${cspSource} 'nonce-${nonce}'`,
      `font-src ${cspSource}`,
      `img-src ${cspSource} data:`,
    ]);
    expect(html.match(/<script[^>]*>[^<]*/g)).toEqual([
      expect.stringMatching(/^<script nonce="[^"]+" src="https:\/\/[^"]+\/dist\/webview\/main\.js">$/),
    ]);
    expect(html).toContain(`<script nonce="${nonce}"`);
    expect(html).not.toMatch(/<style|style=|\son\w+=/);
    const data = /data-translations="([^"]*)"/.exec(html)?.[1] ?? '';
    expect(data).not.toContain('<');
    const unescaped = data.replaceAll('&lt;', '<').replaceAll('&quot;', '"').replaceAll('&amp;', '&');
    expect(JSON.parse(unescaped)).toEqual({ 'Say "<b>" & more': 'Sag "<b>" & mehr' });
    expect(webview.options).toMatchObject({ enableScripts: true });
    expect(webview.options.localResourceRoots?.map(({ path }) => path)).toEqual([expect.stringMatching(/\/dist\/webview$/)]);
    // Nobody can know the next nonce.
    webviewViews.get('twoHeads.panel')?.close();
    expect(openView('twoHeads.panel').webview.html).not.toContain(nonce);
  });
});

describe('the panel', () => {
  it('sends everything whenever its page is ready, and what seldom changes only then and as it changes', async () => {
    await activated();
    const panel = new Panel();
    await openPrompt(text);
    await panel.snapshot();
    // Costs come after the plan.
    const { snapshot } = await panel.next('snapshot', (message) => message.snapshot.scenarioCosts.length > 0);
    expect(snapshot).toMatchObject({
      document: '/prompts/prompt.md',
      form: { kind: 'native', blockSize: 256 },
      formError: null,
      prediction: null,
      activity: { state: 'idle' },
      runs: [],
      keptRuns: 0,
      ledger: null,
    });
    expect(snapshot.plan?.tokens).toBeGreaterThan(500);
    expect(snapshot.cache).toMatchObject({ kinds: [{ tokens: snapshot.plan?.tokens }] });
    expect(snapshot.storedBytes).toBeGreaterThan(1e6);
    expect(snapshot.scenarioCosts.length).toBeGreaterThan(3);
    await settled();
    expect(panel.all('cost-curves').at(-1)?.curves).not.toBeNull();
    const sent = panel.all('cost-curves').length;
    const next = panel.next('snapshot');
    set('twoHeads.verify', 'none');
    await next;
    await settled();
    expect(panel.all('cost-curves')).toHaveLength(sent);
    await panel.snapshot();
    await settled();
    expect(panel.all('cost-curves')).toHaveLength(sent + 1);
  });

  it('tells a hidden page nothing', async () => {
    await activated();
    const panel = new Panel();
    await panel.snapshot();
    const { received } = panel.view.webview;
    const before = received.length;
    panel.view.visible = false;
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    show(openDocument('/a.prompt', text));
    vi.advanceTimersByTime(1000);
    await settled();
    expect(received).toHaveLength(before);
  });

  it('is heard only where it sends messages, and what else it sends does nothing but a line in the log', async () => {
    const { state } = await activated();
    const panel = new Panel();
    await panel.snapshot();
    const choice = { kind: 'causal', parameters: { window: 64 }, blockSize: 128 };
    const odd: readonly unknown[] = [
      ...[null, undefined, 7, 'ready', [], {}, { type: 'constructor' }, { type: 'toString' }, { type: 'choose' }],
      ...[
        { type: 'choose', choice: null },
        { type: 'choose', choice: { ...choice, blockSize: '128' } },
      ],
      ...[
        { type: 'choose', choice: { ...choice, parameters: [1] } },
        { type: 'choose', choice: { ...choice, kind: 'x'.repeat(101) } },
      ],
      ...[
        { type: 'select-tile', queryBlock: -1, keyBlock: 0 },
        { type: 'read-tile', request: 1.5, queryBlock: 0, keyBlock: 0 },
      ],
      ...[
        { type: 'save-picture', format: 'exe', data: new Uint8Array(1) },
        { type: 'save-picture', format: 'svg', data: 'text' },
      ],
    ];
    odd.forEach((message) => panel.view.webview.say(message));
    await settled();
    expect(logged).toHaveLength(odd.length);
    expect(logged[0].line).toMatch(/A message of the panel's page was dropped \(of no known type\)\./);
    expect([state.choice, textsOf('error')]).toEqual([undefined, []]);
    const next = panel.next('snapshot');
    panel.view.webview.say({ type: 'choose', choice });
    await next;
    expect(state.choice).toEqual(choice);
  });

  it('keeps what the form chooses, and says what is wrong with it', async () => {
    const { state } = await activated();
    const panel = new Panel();
    const { form } = await panel.snapshot();
    const chosen = { ...form, kind: 'sliding-window' as const, parameters: { ...form.parameters, window: 64 }, blockSize: 128 };
    const next = panel.next('snapshot');
    panel.say({ type: 'choose', choice: chosen });
    expect((await next).snapshot).toMatchObject({ form: chosen, formError: null });
    expect(state.choice).toEqual(chosen);
    expect(userSettings()).toEqual({});
    const wrong = panel.next('snapshot');
    panel.say({ type: 'choose', choice: { ...chosen, blockSize: 1 } });
    expect((await wrong).snapshot.formError).toContain('Block size');
  });

  it('gathers changes into one snapshot', async () => {
    await activated();
    const panel = new Panel();
    await panel.snapshot();
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const before = panel.all('snapshot').length;
    const { form } = panel.all('snapshot')[0].snapshot;
    for (const blockSize of [32, 64, 128]) {
      panel.say({ type: 'choose', choice: { ...form, blockSize } });
      await settled();
      vi.advanceTimersByTime(39);
    }
    expect(panel.all('snapshot')).toHaveLength(before);
    vi.advanceTimersByTime(1);
    expect(
      panel
        .all('snapshot')
        .slice(before)
        .map(({ snapshot }) => snapshot.form.blockSize),
    ).toEqual([128]);
  });

  it('runs, shows how far it is, and has the run as one of the prompt now shown', async () => {
    const { engine } = await activated();
    const panel = new Panel();
    const { document } = await openPrompt(text);
    panel.say({ type: 'simulate' });
    const call = await engine.next('simulate');
    expect(contextKeys.get('twoHeads.running')).toBe(true);
    expect((await panel.snapshot()).activity).toEqual({ state: 'running', task: 'prompt', title: 'native', progress: null });
    call.progress(0.25, 'attending');
    await settled();
    expect(panel.all('progress')).toEqual([{ type: 'progress', progress: { message: 'attending', phase: 'attend', fraction: 0.25 } }]);
    const ended = panel.next('snapshot', ({ snapshot }) => snapshot.runs.length === 1 && snapshot.activity.state === 'idle');
    const report = await reportFor(call);
    call.resolve(report);
    const { snapshot } = await ended;
    expect(snapshot).toMatchObject({ keptRuns: 1, runs: [{ current: true, report }] });
    expect(snapshot.scenarioCosts.filter(({ measuredMs }) => measuredMs === 1234.5).map(({ label }) => label)).toEqual(['causal']);
    expect(contextKeys.get('twoHeads.running')).toBe(false);
    const planned = panel.next('snapshot', (message) => message.snapshot.plan?.tokens !== snapshot.plan?.tokens);
    edit(document, { from: 0, text: 'Another text. ' });
    expect((await planned).snapshot.runs[0].current).toBe(false);
  });

  it('cancels, and says what failed', async () => {
    const { engine } = await activated();
    const panel = new Panel();
    await openPrompt(text);
    panel.say({ type: 'simulate' });
    await engine.next('simulate');
    panel.say({ type: 'cancel' });
    await settled();
    expect((await panel.snapshot()).activity).toEqual({ state: 'idle' });
    expect(textsOf('information')).toEqual(['Two Heads: the run was cancelled.']);
    panel.say({ type: 'simulate' });
    (await engine.next('simulate')).reject(new Error('out of memory'));
    await settled();
    expect((await panel.snapshot()).activity).toEqual({ state: 'failed', message: 'out of memory' });
    expect(textsOf('error')).toEqual(['Two Heads: out of memory']);
  });

  it('does what its buttons say', async () => {
    const { engine } = await activated();
    const panel = new Panel();
    await openPrompt(text);
    for (const [type, method] of [
      ['compare', 'compare'],
      ['run-ledger', 'ledger'],
      ['calibrate', 'calibrate'],
    ] as const) {
      panel.say({ type });
      await engine.next(method);
      panel.say({ type: 'cancel' });
      await settled();
    }
    expect(engine.calls).toHaveLength(3);
    expect(textsOf('error')).toEqual([]);
  });

  it('opens the settings', async () => {
    await activated();
    new Panel().say({ type: 'open-settings' });
    await settled();
    expect(executed).toContainEqual({ command: 'workbench.action.openSettings', given: ['twoHeads'] });
  });

  it('shows a ledger as it comes, and the lab opens for it and for an evaluation', async () => {
    const { engine } = await activated();
    await openPrompt(text);
    const running = run('runLedger');
    const call = await engine.next('ledger');
    expect(webviewPanels.map(({ viewType }) => viewType)).toEqual(['twoHeads.promptLab']);
    const panel = new Panel();
    const made = ledgerOf();
    const ledger: LedgerReport = { ...made, rows: [made.rows[0], { ...made.rows[1], verdict: 'failed' }] };
    call.resolve(ledger);
    await running;
    expect((await panel.snapshot()).ledger).toEqual(withMarkedNumbers(ledger));
    expect(textsOf('information')).toEqual(['Two Heads: Ledger of 2 rows: 1 row beyond the stated error.']);
    script.picks.push('Predictions and Retrieval');
    const evaluating = run('evaluate');
    const [point, ...others] = evaluationOf().points;
    const evaluation = { ...evaluationOf(), points: [...others, { ...point, quality: null }], resumed: 1 };
    (await engine.next('evaluate')).resolve(evaluation);
    await evaluating;
    expect(webviewPanels).toHaveLength(1);
    expect(textsOf('information')[1]).toMatch(/^Two Heads: Evaluated 1 point of 2 on 1 prompt, 1 result from earlier runs\. /);
  });

  it('sends the newest runs, and that of the prompt now shown however old it is', async () => {
    const results = Array.from({ length: 25 }, (_, minute) => ({
      kind: 'run' as const,
      report: reportOf({ date: new Date(Date.UTC(2026, 1, 1, 0, minute)).toISOString() }),
      origin: null,
    }));
    const { engine } = await activated({ results });
    const panel = new Panel();
    await openPrompt(text);
    const running = run('simulateFile');
    const call = await engine.next('simulate');
    call.resolve(await reportFor(call, '2020-01-01T00:00:00.000Z'));
    await running;
    const { runs: sent, keptRuns } = await panel.snapshot();
    expect(keptRuns).toBe(26);
    expect(sent).toHaveLength(21);
    expect(sent.map(({ current }) => current)).toEqual([...Array<boolean>(20).fill(false), true]);
    expect(sent[0].report.environment.date).toBe(results[24].report.environment.date);
  });
});

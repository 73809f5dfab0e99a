import { join } from 'node:path';
import { writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as vscode from 'vscode';
import type { AtlasReport } from '../../../src/core/atlas/report';
import type { ExperimentOutlook } from '../../../src/core/lab/outlook';
import type { LabHostMessage, LabPageMessage } from '../../../src/protocol/lab';
import type { HostMessage, PageMessage } from '../../../src/protocol/panel';
import { activated, type EngineCall, openPrompt, Panel, run } from '../../support/host';
import { reportFor } from '../../support/host-reports';
import { atlasOf } from '../../support/atlases';
import { ledgerOf } from '../../support/records';
import { reportOf } from '../../support/reports';
import { executed } from '../../support/workbench/commands';
import { textsOf } from '../../support/workbench/dialogs';
import { openDocument } from '../../support/workbench/documents';
import { type FakeEditor, select } from '../../support/workbench/editors';
import { settled } from '../../support/workbench/events';
import { codeLenses } from '../../support/workbench/languages';
import { fileWatchers } from '../../support/workbench/files';
import { set } from '../../support/workbench/settings';
import { type FakeWebviewPanel, logged, openCustomEditor, panelSerializers, webviewPanels } from '../../support/workbench/views';

const text = 'The quick brown fox jumps over the lazy dog. '.repeat(60);

/** The page of a lab, as the host sees it. */
class Page {
  constructor(readonly panel: FakeWebviewPanel) {}

  say(message: LabPageMessage | PageMessage): void {
    this.panel.webview.say(message);
  }

  /** The next message of a type that `fits`. Several come at once, so none may be missed between two looks. */
  next<T extends (LabHostMessage | HostMessage)['type']>(
    type: T,
    fits: (message: Extract<LabHostMessage | HostMessage, { type: T }>) => boolean = () => true,
  ): Promise<Extract<LabHostMessage | HostMessage, { type: T }>> {
    return new Promise((resolve) => {
      const listener = this.panel.webview.onReceived((given) => {
        const message = given as Extract<LabHostMessage | HostMessage, { type: T }>;
        if (message.type === type && fits(message)) {
          listener.dispose();
          resolve(message);
        }
      });
    });
  }
}

/** Opens a prompt and the lab beside it. */
async function openLab(): Promise<{ readonly page: Page; readonly editor: FakeEditor } & Awaited<ReturnType<typeof activated>>> {
  const host = await activated({
    prepare: () => {
      set('twoHeads.blockSize', 64);
      set('twoHeads.scenario', 'sliding-window');
    },
  });
  const { editor } = await openPrompt(text);
  await run('openLab');
  const page = new Page(webviewPanels[0]);
  const ready = page.next('lab');
  page.say({ type: 'ready' });
  await ready;
  return { ...host, page, editor };
}

/** What the engine would report of where attention goes: of the prompt, with masses that are made up. */
async function atlasReport(call: EngineCall<'atlas'>): Promise<AtlasReport> {
  const { atlas, byToken, cut } = atlasOf(128, () => 0.5);
  const scenario = call.argument.options.scenario as NonNullable<typeof cut>['scenario'];
  return { ...(await reportFor(call)), atlas: { ...atlas, cut: cut && { ...cut, scenario } }, byToken, masked: null };
}

/** What the decoration of the brush covers. */
function brushed(editor: FakeEditor): vscode.Range[] {
  const isBrush = (type: unknown): boolean => JSON.stringify(type).includes('brushBackground');
  return [...editor.decorations].filter(([type]) => isBrush(type)).flatMap(([, ranges]) => ranges as vscode.Range[]);
}

describe('the lab beside a prompt', () => {
  it('follows the prompt, and comes back after a reload', async () => {
    const { page, editor } = await openLab();
    expect(page.panel.title).toBe('Lab: prompt.md');
    await run('openLab');
    expect(webviewPanels).toHaveLength(1);
    expect([page.panel.revealed, page.panel.revealedIn]).toEqual([1, undefined]);
    // The prompt has come to the lab's column, which would cover it there.
    page.panel.viewColumn = editor.viewColumn;
    await run('openLab');
    expect(page.panel.revealedIn).toBe(vscode.ViewColumn.Beside);
    const next = page.next('lab', ({ snapshot }) => snapshot.plan?.tokens !== undefined && snapshot.plan.tokens < 100);
    await openPrompt('A much shorter prompt.', '/prompts/short.prompt');
    expect((await next).snapshot.document).toBe('short.prompt');
    expect(page.panel.title).toBe('Lab: short.prompt');
    page.panel.dispose();
    const restored = openCustomEditor('none', undefined);
    await panelSerializers.get('twoHeads.promptLab')?.deserializeWebviewPanel(restored as unknown as vscode.WebviewPanel, undefined);
    const again = new Page(restored).next('lab');
    restored.webview.say({ type: 'ready' });
    expect((await again).snapshot.document).toBe('short.prompt');
    expect(restored.webview.html).toContain('/dist/webview/lab.js');
  });

  it('gets what the panel gets, and does what its page asks for', async () => {
    const { page, engine } = await openLab();
    const snapshot = page.next('snapshot', (message) => message.snapshot.plan !== null);
    page.say({ type: 'ready' });
    expect((await snapshot).snapshot.document).toBe('/prompts/prompt.md');
    page.say({ type: 'run-ledger' });
    const ledger = await engine.next('ledger');
    const after = page.next('snapshot', (message) => message.snapshot.ledger !== null);
    ledger.resolve(ledgerOf());
    expect((await after).snapshot.ledger?.rows).toHaveLength(ledgerOf().rows.length);
  });

  it('unfolds what the panel leads to: at once where its page is there, else when it is', async () => {
    await activated();
    await openPrompt(text);
    const panel = new Panel();
    panel.say({ type: 'open-lab', part: 'last-run' });
    await settled();
    const page = new Page(webviewPanels[0]);
    expect(page.panel.webview.received).toEqual([]);
    const first = page.next('show');
    page.say({ type: 'ready' });
    expect((await first).part).toBe('last-run');
    const second = page.next('show');
    panel.say({ type: 'open-lab', part: 'ledger' });
    expect((await second).part).toBe('ledger');
    expect(webviewPanels).toHaveLength(1);
    panel.say({ type: 'open-lab', part: null });
    await settled();
    expect(page.panel.webview.received.filter((message) => (message as LabHostMessage).type === 'show')).toHaveLength(2);
  });

  it('measures where attention goes, and says when that is of another scenario', async () => {
    const { page, engine } = await openLab();
    const got = page.next('atlas', ({ atlas }) => atlas !== null);
    const running = run('atlas');
    const call = await engine.next('atlas');
    expect(call.argument).toMatchObject({
      path: '/prompts/prompt.md',
      text,
      options: { scenario: { kind: 'sliding-window' }, blockSize: 64, construction: 'fused', precision: 'float32' },
    });
    call.resolve(await atlasReport(call));
    await running;
    expect((await got).atlas).toMatchObject({ current: true, partition: { blockSize: 64 } });
    expect(textsOf('information').at(-1)).toMatch(
      /^Two Heads: Measured where the attention of [\d,]+ tokens goes\. sliding-window.* cuts off \d+% of it\.$/,
    );
    const stale = page.next('atlas', ({ atlas }) => atlas?.current === false);
    set('twoHeads.scenario', 'attention-sink');
    await stale;
  });

  it('marks what is brushed without moving the cursor, shows it only when asked, and tells what is selected', async () => {
    const { page, editor } = await openLab();
    const before = editor.selection;
    page.say({ type: 'brush', range: { from: 10, to: 20 } });
    await settled();
    const [range] = brushed(editor);
    expect(editor.document.getText(range).length).toBeGreaterThan(10);
    expect([editor.selection, editor.revealed]).toEqual([before, []]);
    page.say({ type: 'reveal', range: { from: 10, to: 20 } });
    await settled();
    expect(editor.selection).toBe(before);
    expect(editor.revealed.at(-1)?.range.isEqual(range)).toBe(true);
    page.say({ type: 'brush', range: null });
    await settled();
    expect(brushed(editor)).toEqual([]);
    const selected = page.next('selected');
    select(editor, range);
    expect((await selected).range).toEqual({ from: 10, to: 20 });
    const cleared = page.next('selected');
    select(editor, new vscode.Range(0, 3, 0, 3));
    expect((await cleared).range).toBeNull();
    page.panel.webview.say({ type: 'brush', range: { from: 20, to: 10 } });
    page.panel.webview.say({ type: 'explode' });
    await settled();
    expect(logged.filter(({ line }) => line.startsWith("A message of the lab's page was dropped"))).toHaveLength(2);
  });
});

describe('the lab of a file', () => {
  const outlook = {
    file: '/x/a.two-heads.json',
    experiment: { results: '/x/a.results.jsonl', prompts: ['/x/a.md'] },
    model: 'small',
    points: [],
    units: 4,
    known: 1,
    predictedMs: null,
    evaluation: null,
    budgets: null,
  } as unknown as ExperimentOutlook;

  it('shows an experiment and reads it again when results land, and runs it', async () => {
    const { engine, folder } = await activated();
    const file = join(folder, 'a.two-heads.json');
    writeFileSync(file, '{}');
    const document = openDocument(file, '{}');
    const page = new Page(openCustomEditor('twoHeads.lab', document));
    const first = await engine.next('outlook');
    expect(first.argument).toEqual({ file });
    const shown = page.next('experiment', ({ experiment }) => experiment !== null);
    first.resolve({ ...outlook, file });
    expect((await shown).experiment?.outlook?.known).toBe(1);
    // The file's lens has it too, without asking again.
    const lens = async (): Promise<string | undefined> => (await codeLenses(document))[0].command?.title;
    expect(await lens()).toBe('$(play) Run 0 points · 1 of 4 results measured');
    const ofResults = fileWatchers.filter(({ pattern }) => typeof pattern !== 'string');
    expect(ofResults).toHaveLength(1);
    ofResults[0].changed.fire();
    const second = await engine.next('outlook');
    const more = page.next('experiment');
    second.resolve({ ...outlook, file, known: 4 });
    expect((await more).experiment?.outlook?.known).toBe(4);
    expect(await lens()).toBe('$(play) Run 0 points · 4 of 4 results measured');
    expect(engine.calls.filter(({ method }) => method === 'outlook')).toHaveLength(2);
    page.say({ type: 'run' });
    const evaluated = await engine.next('evaluate');
    expect(evaluated.argument).toEqual({ file });
    evaluated.reject(new Error('stop'));
    page.say({ type: 'open-text' });
    await settled();
    expect(executed.some(({ command }) => command === 'workbench.action.reopenTextEditor')).toBe(true);
    page.panel.dispose();
    expect(ofResults[0].disposed).toBe(true);
  });

  it('says what is wrong with a file, and shows runs with their atlas', async () => {
    const { engine } = await activated();
    const page = new Page(openCustomEditor('twoHeads.lab', openDocument('/x/two-heads-runs.json', '[]')));
    const call = await engine.next('readRuns');
    expect(call.argument).toEqual({ path: 'two-heads-runs.json', text: '[]' });
    const failed = page.next('lab', ({ snapshot }) => snapshot.error !== null);
    call.reject(new Error('two-heads-runs.json holds no run.'));
    expect((await failed).snapshot).toMatchObject({ subject: 'runs', error: 'two-heads-runs.json holds no run.', runs: [] });
    const other = new Page(openCustomEditor('twoHeads.lab', openDocument('/x/my.two-heads-run.json', '[]')));
    const second = await engine.next('readRuns');
    const atlas = other.next('atlas', (message) => message.atlas !== null);
    const { atlas: made, byToken } = atlasOf(128, () => 0.5);
    second.resolve([reportOf({ tokens: 128 }), { ...reportOf({ tokens: 128, date: '2026-03-01T00:00:00.000Z' }), atlas: made, byToken }]);
    expect((await atlas).atlas).toMatchObject({ current: true, partition: { tokens: 128 } });
    const { snapshot } = other.panel.webview.received.find((message) => (message as LabHostMessage).type === 'lab') as Extract<
      LabHostMessage,
      { type: 'lab' }
    >;
    expect(snapshot.current?.environment.date).toBe('2026-03-01T00:00:00.000Z');
    expect(snapshot.runs.every((each) => each.atlas === undefined)).toBe(true);
  });
});

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type * as vscode from 'vscode';
import { CancelledError, InputError } from '../../../src/core/errors';
import type { WorkerState } from '../../../src/core/fleet/worker-state';
import { CalibrationStore } from '../../../src/engine/store/calibrations';
import type { SeenFleet } from '../../../src/fleet/process/fleet-methods';
import { madeUpCalibration } from '../../support/calibration';
import { evaluationOf } from '../../support/records';
import { activated, type Before, type Host, run } from '../../support/host';
import { contextKeys, executed } from '../../support/workbench/commands';
import { messages, script, shownInputs, textsOf } from '../../support/workbench/dialogs';
import { openDocument } from '../../support/workbench/documents';
import { show } from '../../support/workbench/editors';
import { settled } from '../../support/workbench/events';
import { restrict } from '../../support/workbench/files';
import { set } from '../../support/workbench/settings';
import { type FakeTreeView, progresses, treeViews } from '../../support/workbench/views';

const url = 'redis://127.0.0.1:7000';
const summary = evaluationOf();

const worker = (change: Partial<WorkerState> = {}): WorkerState => ({
  id: 'lab-1',
  host: 'lab',
  pid: 1,
  twoHeads: '0.4.0',
  onnxruntime: '1.30.0',
  provider: 'cpu',
  device: 'Some Processor',
  models: [{ name: 'tiny-docs-5m', digest: '0123456789abcdef' }],
  row: null,
  rows: 0,
  busyMs: 0,
  ...change,
});

const fleetOf = (...workers: readonly WorkerState[]): SeenFleet => ({
  own: { twoHeads: '0.4.0', onnxruntime: '1.30.0' },
  workers,
  queues: [],
});

/** The extension with a broker, and an experiment file in front. */
async function withExperiment(before: Before = {}): Promise<Host & { readonly path: string }> {
  const host = await activated({
    ...before,
    prepare: () => {
      set('twoHeads.fleet.broker', url);
      return before.prepare?.();
    },
  });
  const path = join(host.folder, 'window.two-heads.json');
  writeFileSync(path, '{}');
  show(openDocument(path, '{}'));
  return { ...host, path };
}

type Tree = FakeTreeView<unknown>;

function machine(): Tree {
  return treeViews.get('twoHeads.machine') as Tree;
}

/** A line of the view, with what is below it. */
interface Line {
  readonly label: unknown;
  readonly description: unknown;
  readonly icon?: string;
  readonly children?: readonly Line[];
}

/** What the view shows. */
async function shown(node?: unknown): Promise<Line[]> {
  const { treeDataProvider: tree } = machine().options;
  const lines: Line[] = [];
  for (const child of (await tree.getChildren(node)) ?? []) {
    const { label, description, iconPath } = await tree.getTreeItem(child);
    const children = await shown(child);
    lines.push({
      label,
      description,
      ...(iconPath === undefined ? {} : { icon: (iconPath as vscode.ThemeIcon).id }),
      ...(children.length === 0 ? {} : { children }),
    });
  }
  return lines;
}

describe('an experiment on a fleet', () => {
  it('runs once the user let its tokens go to this broker, who is not asked again', async () => {
    const { fleet, engine, path } = await withExperiment();
    expect(contextKeys.get('twoHeads.hasBroker')).toBe(true);
    await run('runExperimentOnFleet');
    expect(messages).toMatchObject([
      {
        kind: 'warning',
        modal: true,
        text: "The prompt's tokens leave this machine for 127.0.0.1:7000 and its workers.",
        buttons: ['Run'],
      },
    ]);
    script.press = ({ buttons }) => (buttons.includes('Run') ? 'Run' : undefined);
    const running = run('runExperimentOnFleet');
    const call = await fleet.next('evaluate');
    expect(call.argument).toMatchObject({ address: { url, password: undefined }, request: { file: path } });
    call.progress(0.25, 'Waiting for workers: no worker is there');
    expect(progresses[0].reports).toEqual([
      { message: 'quality', increment: 0 },
      { message: 'quality: Waiting for workers: no worker is there', increment: 25 },
    ]);
    call.resolve(summary);
    await running;
    expect(textsOf('information')).toEqual([
      'Two Heads: Evaluated 2 points of 2 on 1 prompt. Mean KL under sliding-window(window 8): 0.5 nats.',
    ]);
    const again = run('runExperimentOnFleet');
    (await fleet.next('evaluate')).reject(new CancelledError());
    await again;
    expect(messages.filter(({ modal }) => modal)).toHaveLength(2);
    set('twoHeads.fleet.broker', 'redis://127.0.0.1:7001');
    script.press = () => undefined;
    await run('runExperimentOnFleet');
    expect(messages.filter(({ modal }) => modal)).toHaveLength(3);
    expect(engine.calls).toEqual([]);
  });

  it('is cancelled by the notification', async () => {
    const { fleet } = await withExperiment();
    script.press = ({ buttons }) => (buttons.includes('Run') ? 'Run' : undefined);
    const running = run('runExperimentOnFleet');
    await vi.waitFor(() => expect(fleet.calls.map(({ method }) => method)).toContain('evaluate'));
    progresses[0].cancel();
    await running;
    expect(textsOf('information')).toEqual(['Two Heads: the run was cancelled.']);
  });

  it('needs a broker, an address without a password, an experiment file and trust', async () => {
    const { fleet, path } = await withExperiment({ prepare: restrict });
    await run('runExperimentOnFleet');
    expect(textsOf('error')).toEqual([expect.stringContaining('trust the workspace to run it')]);
    set('twoHeads.fleet.broker', 'redis://:secret@127.0.0.1:7000');
    await run('setBrokerPassword');
    expect(textsOf('error')[1]).toMatch(/has a password in it.*Set the Broker's Password/);
    expect(textsOf('error')[1]).not.toContain('secret');
    set('twoHeads.fleet.broker', '');
    await settled();
    expect(contextKeys.get('twoHeads.hasBroker')).toBe(false);
    script.press = () => 'Open Settings';
    await run('runExperimentOnFleet');
    expect(textsOf('warning').at(-1)).toContain('no broker is set');
    expect(executed.at(-1)).toEqual({ command: 'workbench.action.openSettings', given: ['twoHeads.fleet.broker'] });
    show(openDocument(`${path}.md`, 'A text.'));
    script.press = () => undefined;
    await run('runExperimentOnFleet');
    expect(textsOf('warning').at(-1)).toContain('open an experiment file');
    expect(fleet.calls.filter(({ method }) => method === 'evaluate')).toEqual([]);
  });

  it('takes the broker from no workspace that is not trusted', async () => {
    await activated({
      prepare: () => {
        restrict();
        set('twoHeads.fleet.broker', url, 2);
      },
    });
    expect(contextKeys.get('twoHeads.hasBroker')).toBe(false);
  });
});

describe("a broker's password", () => {
  it('is kept as a secret of that broker, sent to no other, and removed where it is empty', async () => {
    const secrets: Record<string, string> = {};
    const { fleet } = await withExperiment({ secrets });
    const passwordSent = async (): Promise<unknown> => {
      const before = fleet.calls.length;
      machine().show(true);
      await vi.waitFor(() => expect(fleet.calls.length).toBeGreaterThan(before));
      machine().show(false);
      return fleet.calls.at(-1)?.argument.address.password;
    };
    script.inputs.push(['hush'], [undefined], ['']);
    await run('setBrokerPassword');
    expect(shownInputs[0].options).toMatchObject({ password: true, title: 'Password of 127.0.0.1:7000' });
    expect(Object.values(secrets)).toEqual(['hush']);
    expect(await passwordSent()).toBe('hush');
    await run('setBrokerPassword');
    expect(await passwordSent()).toBe('hush');
    set('twoHeads.fleet.broker', 'redis://127.0.0.1:7001');
    expect(await passwordSent()).toBeUndefined();
    set('twoHeads.fleet.broker', url);
    await run('setBrokerPassword');
    expect(await passwordSent()).toBeUndefined();
  });
});

describe('the view of machines', () => {
  it('has nothing where nothing is known and no broker is set, which its welcome says', async () => {
    const { fleet } = await activated();
    machine().show(true);
    expect(await shown()).toEqual([]);
    expect(fleet.calls).toEqual([]);
  });

  it("shows this machine's calibrated devices, and that no broker is set", async () => {
    const { engine, globalStorage } = await activated();
    machine().show(true);
    const calibration = madeUpCalibration();
    const calibrating = run('calibrate');
    const call = await engine.next('calibrate');
    await new CalibrationStore(globalStorage).write(calibration);
    call.resolve(calibration);
    await calibrating;
    await vi.waitFor(async () => expect((await shown()).map(({ label }) => label)).toEqual(['cpu', 'No broker']));
    expect((await shown())[0].description).toMatch(/ threads? · calibrated /);
  });

  it('shows workers with their rows, those of other versions with what differs, and jobs that wait', async () => {
    const { fleet } = await activated({ prepare: () => set('twoHeads.fleet.broker', url) });
    machine().show(true);
    expect(await shown()).toEqual([{ label: '127.0.0.1:7000', description: 'connecting...', icon: 'server' }]);
    const busy = worker({ id: 'lab-2', row: 'tiny-docs-5m, row 1 of 1, causal', rows: 20, busyMs: 30_000 });
    const queue = { queue: 'q', twoHeads: '0.4.0', onnxruntime: '1.30.0', digest: 'd', model: 'tiny-docs-5m', provider: 'cpu' };
    (await fleet.next('state')).resolve({
      ...fleetOf(worker(), busy, worker({ id: 'lab-3', twoHeads: '0.3.0', onnxruntime: '1.20.0' })),
      queues: [
        { ...queue, waiting: 7, active: 1, completed: 0, failed: 2 },
        { ...queue, queue: 'old', waiting: 0, active: 0, completed: 0, failed: 0 },
      ],
    });
    await settled();
    const [broker] = await shown();
    expect(broker).toMatchObject({ label: '127.0.0.1:7000', description: '3 workers' });
    expect(broker.children).toMatchObject([
      { label: 'lab-1', description: 'waits', icon: 'circle-outline' },
      { label: 'lab-2', description: '40 rows a minute · tiny-docs-5m, row 1 of 1, causal', icon: 'circle-filled' },
      { label: 'lab-3', description: 'has Two Heads 0.3.0, not 0.4.0, has ONNX Runtime 1.20.0, not 1.30.0', icon: 'warning' },
      { label: 'Jobs for tiny-docs-5m on cpu', description: '7 waiting, 1 measured now, 2 failed' },
    ]);
    expect(broker.children?.[1].children).toEqual([
      { label: 'Device', description: 'Some Processor' },
      { label: 'Provider', description: 'cpu' },
      { label: 'Models', description: 'tiny-docs-5m (0123456789ab)' },
      { label: 'Version', description: 'Two Heads 0.4.0, ONNX Runtime 1.30.0' },
      { label: 'Measures', description: 'tiny-docs-5m, row 1 of 1, causal' },
      { label: 'Measured', description: '20 rows · 40 rows a minute' },
    ]);
  });

  it('looks every two seconds while it is visible, one look at a time, and says why it sees nothing', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const { fleet, deactivate } = await activated({ prepare: () => set('twoHeads.fleet.broker', url) });
    await settled();
    expect(fleet.calls).toEqual([]);
    machine().show(true);
    await settled();
    const pass = async (ms: number): Promise<number> => {
      vi.advanceTimersByTime(ms);
      await settled();
      return fleet.calls.length;
    };
    expect(await pass(10_000)).toBe(1);
    (await fleet.next('state')).reject(new InputError('The broker 127.0.0.1:7000 cannot be reached.'));
    await settled();
    expect(await pass(1900)).toBe(1);
    expect(await shown()).toEqual([
      { label: '127.0.0.1:7000', description: 'The broker 127.0.0.1:7000 cannot be reached.', icon: 'warning' },
    ]);
    expect(await pass(200)).toBe(2);
    machine().show(false);
    (await fleet.next('state')).resolve(fleetOf());
    expect(await pass(10_000)).toBe(2);
    machine().show(true);
    expect(await pass(0)).toBe(3);
    // An answer about a broker that is no longer set does not count.
    const late = await fleet.next('state');
    set('twoHeads.fleet.broker', 'redis://127.0.0.1:7001');
    late.resolve(fleetOf(worker()));
    expect(await pass(0)).toBe(4);
    expect(await shown()).toEqual([{ label: '127.0.0.1:7001', description: 'connecting...', icon: 'server' }]);
    deactivate();
    (await fleet.next('state')).resolve(fleetOf());
    expect(await pass(10_000)).toBe(4);
    expect(fleet.disposed).toBe(true);
  });
});

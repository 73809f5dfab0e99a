import { join } from 'node:path';
import { expect, onTestFinished, vi } from 'vitest';
import type * as vscode from 'vscode';
import { CancelledError } from '../../src/core/errors';
import type { RunReport } from '../../src/core/report/report';
import type { CallOptions } from '../../src/engine/process/client';
import { EngineClient } from '../../src/engine/process/engine-client';
import type { EngineMethods } from '../../src/engine/process/engine-methods';
import { handlerOf } from '../../src/engine/process/handler';
import { PlannerClient } from '../../src/engine/process/planner-client';
import { type PlannerMethods, plannerMethods } from '../../src/engine/process/planner-methods';
import { RpcClient } from '../../src/engine/process/client';
import type { Argument, MethodName, Methods, Request, Response, Result } from '../../src/engine/process/rpc';
import type { LabResult } from '../../src/core/record/record';
import { RecordFiles, recordOf } from '../../src/engine/store/records';
import type { TwoHeadsApi } from '../../src/extension/api/api';
import { activate } from '../../src/extension/main';
import { FleetClient } from '../../src/fleet/process/fleet-client';
import type { FleetMethods } from '../../src/fleet/process/fleet-methods';
import type { HostMessage, PageMessage } from '../../src/protocol/panel';
import { modelsFolder, root } from './paths';
import { temporaryFolder } from './temporary';
import { executeCommand } from './workbench/commands';
import { EventEmitter, once, resetAll, settled, unexpected, until } from './workbench/events';
import { type FakeDocument, openDocument } from './workbench/documents';
import { type FakeEditor, show } from './workbench/editors';
import { shownLenses } from './workbench/languages';
import { type FakeWebviewView, openView } from './workbench/views';
import { Uri } from './workbench/values';

/** A call that a process would have got. The test answers it. */
class FakeCall<M extends Methods<M>, Name extends MethodName<M>> {
  constructor(
    readonly method: Name,
    readonly argument: Argument<M, Name>,
    private readonly options: CallOptions,
    readonly resolve: (result: Result<M, Name>) => void,
    readonly reject: (error: Error) => void,
  ) {}

  /** The process hands over a run on its way to the result. */
  run(report: RunReport): void {
    this.options.onRun?.(report);
  }

  /** The process says how far it is. */
  progress(fraction: number, message = 'working'): void {
    this.options.onProgress?.({ message, phase: 'attend', fraction });
  }
}

/** A call of the engine process. */
export type EngineCall<Name extends MethodName<EngineMethods> = MethodName<EngineMethods>> = FakeCall<EngineMethods, Name>;

/** Stands where a process would: takes calls, and rejects those that are cancelled as the process does. */
class FakeProcess<M extends Methods<M>> {
  readonly calls: FakeCall<M, MethodName<M>>[] = [];
  disposed = false;
  private readonly called = new EventEmitter<FakeCall<M, MethodName<M>>>();

  call<Name extends MethodName<M>>(method: Name, argument: Argument<M, Name>, options: CallOptions = {}): Promise<Result<M, Name>> {
    return new Promise<Result<M, Name>>((resolve, reject) => {
      const { signal } = options;
      if (signal?.aborted === true) {
        reject(new CancelledError());
        return;
      }
      signal?.addEventListener('abort', () => reject(new CancelledError()), { once: true });
      const call = new FakeCall<M, Name>(method, argument, options, resolve, reject) as unknown as FakeCall<M, MethodName<M>>;
      this.calls.push(call);
      this.called.fire(call);
    });
  }

  private taken = 0;

  /** The next call that no test has taken yet, which must be one of `method`. */
  async next<Name extends MethodName<M>>(method: Name): Promise<FakeCall<M, Name>> {
    const place = this.taken;
    this.taken += 1;
    await until(this.called.event, () => this.calls.length > place);
    expect(this.calls[place].method).toBe(method);
    return this.calls[place] as unknown as FakeCall<M, Name>;
  }
}

/** Stands where the engine process would. */
export type FakeEngine = FakeProcess<EngineMethods>;

/** The planning thread's methods without a thread: what crosses is copied as it would be. */
function plannerInProcess(): Pick<PlannerClient, 'call'> {
  return new RpcClient(
    {
      name: 'planner',
      patienceMs: 1000,
      sharesMemory: true,
      start: () => {
        let answer: (response: Response<PlannerMethods>) => void = () => undefined;
        const handle = handlerOf(plannerMethods(modelsFolder), (response) => answer(structuredClone(response)));
        return {
          name: 'planner',
          send: (request: Request<PlannerMethods>) => void handle(request),
          listen: ({ onMessage }) => void (answer = onMessage),
          kill: () => undefined,
        };
      },
    },
    () => undefined,
  );
}

/** State that an editor keeps for an extension. */
export function mementoOf(state: Record<string, unknown> = {}): vscode.Memento {
  return {
    keys: () => Object.keys(state),
    get: (key: string, standard?: unknown): unknown => state[key] ?? standard,
    update: (key: string, value: unknown) => {
      state[key] = value;
      return Promise.resolve();
    },
  } as vscode.Memento;
}

/** Passwords that an editor keeps for an extension. */
export function secretsOf(kept: Record<string, string> = {}): vscode.SecretStorage {
  const changed = new EventEmitter<{ readonly key: string }>();
  const change = (key: string, value: string | undefined): Promise<void> => {
    Object.assign(kept, { [key]: value });
    changed.fire({ key });
    return Promise.resolve();
  };
  return {
    get: (key: string) => Promise.resolve(kept[key] as string | undefined),
    store: change,
    delete: (key: string) => change(key, undefined),
    onDidChange: changed.event,
  };
}

/** What there is before the extension is activated. */
export interface Before {
  /** Results that were kept, oldest first. */
  readonly results?: readonly LabResult[];
  /** The workspace's state. */
  readonly state?: Record<string, unknown>;
  /** Passwords. */
  readonly secrets?: Record<string, string>;
  /** Milliseconds that experiments are expected to take; unknown by default. */
  readonly expectedMs?: number;
  /** What is done in the editor before. */
  readonly prepare?: () => void | Promise<void>;
}

/** The extension, activated in the workbench. */
export interface Host {
  readonly api: TwoHeadsApi;
  readonly engine: FakeEngine;
  /** Stands where the fleet process would. */
  readonly fleet: FakeProcess<FleetMethods>;
  readonly state: Record<string, unknown>;
  /** A folder that goes when the test ends. */
  readonly folder: string;
  readonly globalStorage: string;
  readonly deactivate: () => void;
}

/** Activates the extension in an empty workbench. It is deactivated when the test ends, and no listener may have thrown. */
export async function activated({ results = [], state = {}, secrets = {}, expectedMs, prepare }: Before = {}): Promise<Host> {
  resetAll();
  const folder = temporaryFolder();
  const storage = join(folder, 'workspace-storage');
  const files = new RecordFiles(join(storage, 'runs'));
  for (const result of results) {
    await files.add(recordOf(result));
  }
  await prepare?.();
  const engine = new FakeProcess<EngineMethods>();
  const fleet = new FakeProcess<FleetMethods>();
  // No test has to answer what is asked before every experiment.
  const call = vi
    .spyOn(EngineClient.prototype, 'call')
    .mockImplementation((...given) => (given[0] === 'expectedMs' ? Promise.resolve(expectedMs ?? null) : engine.call(...given)));
  const asked = vi.spyOn(FleetClient.prototype, 'call').mockImplementation((...given) => fleet.call(...given));
  const planner = plannerInProcess();
  const planned = vi.spyOn(PlannerClient.prototype, 'call').mockImplementation((...given) => planner.call(...given));
  const dispose = vi.spyOn(EngineClient.prototype, 'dispose').mockImplementation(() => void (engine.disposed = true));
  const left = vi.spyOn(FleetClient.prototype, 'dispose').mockImplementation(() => void (fleet.disposed = true));
  const subscriptions: { dispose(): unknown }[] = [];
  const globalStorage = join(folder, 'global-storage');
  const context = {
    subscriptions,
    extensionUri: Uri.file(root),
    storageUri: Uri.file(storage),
    globalStorageUri: Uri.file(globalStorage),
    workspaceState: mementoOf(state),
    globalState: mementoOf(),
    secrets: secretsOf(secrets),
  } as unknown as vscode.ExtensionContext;
  const api = activate(context);
  const deactivate = (): void => {
    // An editor disposes the newest first.
    while (subscriptions.length > 0) {
      subscriptions.pop()?.dispose();
    }
  };
  onTestFinished(async () => {
    deactivate();
    // What the deactivation ends comes to its end in this test.
    await settled();
    [call, asked, planned, dispose, left].forEach((spy) => spy.mockRestore());
    expect(unexpected).toEqual([]);
  });
  return { api, engine, fleet, state, folder, globalStorage, deactivate };
}

/** Opens a prompt in the editor in front, and waits for its plan, or for why there is none. */
export async function openPrompt(text: string, path = '/prompts/prompt.md'): Promise<{ document: FakeDocument; editor: FakeEditor }> {
  const document = openDocument(path, text);
  const editor = show(document);
  await shownLenses(document);
  return { document, editor };
}

/** Runs a command of Two Heads. */
export async function run(command: string, ...given: unknown[]): Promise<void> {
  await executeCommand(`twoHeads.${command}`, ...given);
}

/** The side panel with a page that has just loaded. */
export class Panel {
  readonly view: FakeWebviewView = openView('twoHeads.panel');

  say(message: PageMessage): void {
    this.view.webview.say(message);
  }

  /** Every message of a type that the page has received, oldest first. */
  all<T extends HostMessage['type']>(type: T): Extract<HostMessage, { type: T }>[] {
    return (this.view.webview.received as HostMessage[]).filter((message) => message.type === type) as Extract<HostMessage, { type: T }>[];
  }

  /** What the page receives of a type from now on, the first that `fits`. */
  async next<T extends HostMessage['type']>(
    type: T,
    fits: (message: Extract<HostMessage, { type: T }>) => boolean = () => true,
  ): Promise<Extract<HostMessage, { type: T }>> {
    for (;;) {
      const message = (await once(this.view.webview.onReceived)) as HostMessage;
      if (message.type === type && fits(message as Extract<HostMessage, { type: T }>)) {
        return message as Extract<HostMessage, { type: T }>;
      }
    }
  }

  /** The snapshot that a page gets when it says that it is ready. */
  async snapshot(): Promise<Extract<HostMessage, { type: 'snapshot' }>['snapshot']> {
    const next = this.next('snapshot');
    this.say({ type: 'ready' });
    return (await next).snapshot;
  }
}

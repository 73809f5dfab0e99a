import * as vscode from 'vscode';
import { CancelledError, InputError, messageOf } from '../../core/errors';
import { inEnglish, t } from '../../core/l10n';
import type { OnProgress } from '../../core/report/phases';
import type { Activity, Task } from '../../protocol/panel';
import { Disposable } from '../disposable';

/** How many may wait; whoever asks for more has lost count. */
export const longestQueue = 16;

interface Waiting {
  readonly controller: AbortController;
  readonly start: () => void;
}

/** Gives what only one may do at a time to one after another, in the order in which they asked. */
export class Turns {
  private holder: AbortController | undefined;
  private readonly waiting: Waiting[] = [];

  /** What stops the one whose turn it is; undefined where it is nobody's. */
  get current(): AbortController | undefined {
    return this.holder;
  }

  /**
   * Resolves when it is the turn of `controller`, which must `end` it.
   *
   * @throws CancelledError where `controller` is aborted before, InputError where too many wait
   */
  async take(controller: AbortController): Promise<void> {
    const { signal } = controller;
    if (signal.aborted) {
      throw new CancelledError();
    }
    if (this.holder === undefined) {
      this.holder = controller;
      return;
    }
    if (this.waiting.length === longestQueue) {
      throw new InputError(`${longestQueue} runs are waiting already; ask again when one of them has ended.`);
    }
    await new Promise<void>((resolve, reject) => {
      const own: Waiting = { controller, start: resolve };
      this.waiting.push(own);
      const leave = (): void => {
        const place = this.waiting.indexOf(own);
        if (place >= 0) {
          this.waiting.splice(place, 1);
          reject(new CancelledError());
        }
      };
      signal.addEventListener('abort', leave, { once: true });
    });
  }

  /** Ends the current turn; the next one begins at once, so that nobody gets in between. */
  end(): void {
    const next = this.waiting.shift();
    this.holder = next?.controller;
    next?.start();
  }

  /** Stops whoever has the turn or waits for it. */
  close(): void {
    const waiting = [...this.waiting];
    waiting.forEach(({ controller }) => controller.abort());
    this.holder?.abort();
  }
}

/** What one call of the engine is given, so that it can be cancelled and its progress is shown. */
export interface Step {
  readonly signal: AbortSignal;
  readonly onProgress: OnProgress;
}

/** Begins a step of a task under a title, which is in the editor's language. */
type BeginStep = (title: string, task?: Task) => Step;

/** Whether a task runs, for the manifest's conditions. */
const runningKey = 'twoHeads.running';

/** The one task that may use the engine at a time: its progress, its cancel, and what it says at its end. */
export class SingleTask extends Disposable {
  private readonly changed = this.own(new vscode.EventEmitter<Activity>());
  /** Fires when a task starts, progresses, ends or fails. */
  readonly onDidChange = this.changed.event;
  private state: Activity = { state: 'idle' };
  private readonly turns = new Turns();

  constructor(private readonly log: vscode.LogOutputChannel) {
    super();
    this.own({ dispose: () => this.turns.close() });
  }

  get activity(): Activity {
    return this.state;
  }

  /** Stops what runs now. */
  cancel(): void {
    this.turns.current?.abort();
  }

  /**
   * Runs a task that the user asked for, unless one is running already.
   *
   * @returns what `work` returns, or undefined where it was refused, was cancelled or failed; the user has been told then
   */
  async run<T>(work: (begin: BeginStep) => Promise<T>): Promise<T | undefined> {
    if (this.turns.current !== undefined) {
      void vscode.window.showWarningMessage(t('Two Heads is already running; cancel that run first.'));
      return undefined;
    }
    try {
      return await this.inTurn(work, new AbortController());
    } catch (error) {
      if (error instanceof CancelledError) {
        void vscode.window.showInformationMessage(t('Two Heads: the run was cancelled.'));
      } else {
        this.tell(messageOf(error));
      }
      return undefined;
    }
  }

  /**
   * Runs a task that another extension or a tool asked for, after those that were asked for before it.
   *
   * @throws what `work` throws, a CancelledError or, where too many wait, an InputError: whoever asked tells the user
   */
  async queue<T>(work: (begin: BeginStep) => Promise<T>, signal: AbortSignal): Promise<T> {
    const controller = new AbortController();
    const abort = (): void => controller.abort();
    signal.addEventListener('abort', abort);
    try {
      if (signal.aborted) {
        abort();
      }
      return await this.inTurn(work, controller);
    } catch (error) {
      this.log.info(`A run that was asked for ended: ${messageOf(error)}`);
      throw error;
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  /** Says how a task came out: to the user, and in English to the log. */
  announce(say: () => string): void {
    this.log.info(inEnglish(say));
    void vscode.window
      .showInformationMessage(`Two Heads: ${say()}`, t('Open Panel'))
      .then((chosen) => chosen && vscode.commands.executeCommand('twoHeads.openPanel'));
  }

  private async inTurn<T>(work: (begin: BeginStep) => Promise<T>, controller: AbortController): Promise<T> {
    await this.turns.take(controller);
    try {
      const result = await vscode.window.withProgress(
        { location: vscode.ProgressLocation.Notification, title: 'Two Heads', cancellable: true },
        (notification, token) => {
          token.onCancellationRequested(() => controller.abort());
          return work((title, task = 'prompt') => this.begin(task, title, controller.signal, notification));
        },
      );
      this.enter({ state: 'idle' });
      return result;
    } catch (error) {
      this.enter(error instanceof CancelledError ? { state: 'idle' } : { state: 'failed', message: messageOf(error) });
      throw error;
    } finally {
      // What is shown is settled before the next task begins to show.
      this.turns.end();
    }
  }

  private tell(message: string): void {
    this.log.error(message);
    void vscode.window.showErrorMessage(`Two Heads: ${message}`, t('Show Log')).then((chosen) => chosen && this.log.show());
  }

  private begin(
    task: Task,
    title: string,
    signal: AbortSignal,
    notification: vscode.Progress<{ message: string; increment: number }>,
  ): Step {
    this.enter({ state: 'running', task, title, progress: null });
    let shown = 0;
    const onProgress: OnProgress = (progress) => {
      notification.report({ message: `${title}: ${progress.message}`, increment: 100 * (progress.fraction - shown) });
      shown = progress.fraction;
      this.enter({ state: 'running', task, title, progress });
    };
    return { signal, onProgress };
  }

  private enter(state: Activity): void {
    this.state = state;
    void vscode.commands.executeCommand('setContext', runningKey, state.state === 'running');
    this.changed.fire(state);
  }
}

import * as vscode from 'vscode';
import { CancelledError, errorShown, InputError, messageOf } from '../../core/errors';
import { formatDuration } from '../../core/format';
import { inEnglish, t } from '../../core/l10n';
import { type OnProgress, withTimeLeft } from '../../core/report/phases';
import type { Activity, Task } from '../../protocol/panel';
import { Disposable } from '../disposable';
import { showFailure, showInformation } from '../notify';
import { askAboveSeconds } from '../settings';

/** Most callers that may wait; more suggest a bug in the caller. */
export const longestQueue = 16;

interface Waiting {
  readonly controller: AbortController;
  readonly start: () => void;
}

/** A queue of turns: only one caller is active at a time, in the order of requests. */
export class Turns {
  private holder: AbortController | undefined;
  private readonly waiting: Waiting[] = [];

  /** The controller of the current turn; undefined if there is none. */
  get current(): AbortController | undefined {
    return this.holder;
  }

  /**
   * Resolves when the turn of `controller` begins; the caller must `end` it.
   *
   * @throws CancelledError if `controller` is aborted before, InputError if too many wait
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

  /** Ends the current turn; the next begins at once, so that no other caller gets in between. */
  end(): void {
    const next = this.waiting.shift();
    this.holder = next?.controller;
    next?.start();
  }

  /** Aborts the current turn and all waiting ones. */
  close(): void {
    const waiting = [...this.waiting];
    waiting.forEach(({ controller }) => controller.abort());
    this.holder?.abort();
  }
}

/** The signal and the progress callback for one engine call. */
export interface Step {
  readonly signal: AbortSignal;
  readonly onProgress: OnProgress;
}

/** Begins a step of a task under a title in the editor's language. */
type BeginStep = (title: string, task?: Task) => Step;

/**
 * Whether the user wants to wait for a run: one that is expected to take long is asked for.
 *
 * @param expectedMs milliseconds; null where nobody knows
 */
export async function agreesToWait(expectedMs: number | null): Promise<boolean> {
  const limit = askAboveSeconds();
  if (expectedMs === null || limit === 0 || expectedMs <= 1000 * limit) {
    return true;
  }
  const button = t('Run');
  const detail = t(
    'It can be cancelled at any time. The setting {0} says from how many seconds on this is asked.',
    'twoHeads.askAboveSeconds',
  );
  const question = t('This is expected to take about {0}. Run it?', formatDuration(expectedMs));
  return (await vscode.window.showWarningMessage(question, { modal: true, detail }, button)) === button;
}

/** Context key for the manifest: whether a task is running. */
const runningKey = 'twoHeads.running';

/** Runs one engine task at a time, the others after it: their progress, their cancellation, and their final messages. */
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

  /** Follows what runs: its progress as it comes, and any other change. */
  follow(onProgress: OnProgress, onChange: () => void): vscode.Disposable {
    return this.onDidChange((activity) => {
      if (activity.state === 'running' && activity.progress !== null) {
        onProgress(activity.progress);
      } else {
        onChange();
      }
    });
  }

  /** Cancels the current task. */
  cancel(): void {
    this.turns.current?.abort();
  }

  /**
   * Runs a task that the user started, after those started before it.
   *
   * @param prepare what the task needs as things are now, whatever changes before its turn; undefined to drop the task
   * @returns the result of `work`, or undefined if it was dropped, cancelled or failed; the user knows why then
   */
  async run<P, T>(
    prepare: () => P | undefined | Promise<P | undefined>,
    work: (begin: BeginStep, prepared: P) => Promise<T>,
  ): Promise<T | undefined> {
    try {
      const prepared = await prepare();
      return prepared === undefined ? undefined : await this.inTurn((begin) => work(begin, prepared), new AbortController());
    } catch (error) {
      if (error instanceof CancelledError) {
        void showInformation(t('Two Heads: the run was cancelled.'));
      } else {
        this.tell(error);
      }
      return undefined;
    }
  }

  /**
   * Runs a task of another extension or a tool, after those requested before it.
   *
   * @throws what `work` throws, a CancelledError or, if too many wait, an InputError; the caller shows the error
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

  /**
   * Announces a task's result: to the user, and in English to the log.
   *
   * @param where it is shown, which a button opens: the panel, the lab of the prompt in front, or that of a file
   */
  announce(say: () => string, where: 'panel' | 'lab' | vscode.Uri = 'panel'): void {
    this.log.info(inEnglish(say));
    const button = where === 'panel' ? t('Open Panel') : t('Open Lab');
    void showInformation(`Two Heads: ${say()}`, button).then((chosen) => {
      if (chosen === undefined) {
        return undefined;
      }
      return where === 'panel'
        ? vscode.commands.executeCommand('twoHeads.openPanel')
        : vscode.commands.executeCommand('twoHeads.openLab', ...(where === 'lab' ? [] : [where]));
    });
  }

  private async inTurn<T>(work: (begin: BeginStep) => Promise<T>, controller: AbortController): Promise<T> {
    return vscode.window.withProgress(
      { location: vscode.ProgressLocation.Notification, title: 'Two Heads', cancellable: true },
      async (notification, token) => {
        token.onCancellationRequested(() => controller.abort());
        if (this.turns.current !== undefined) {
          notification.report({ message: t('waits for what runs before it') });
        }
        await this.turns.take(controller);
        try {
          const result = await work((title, task = 'prompt') => this.begin(task, title, controller.signal, notification));
          this.enter({ state: 'idle' });
          return result;
        } catch (error) {
          this.enter(error instanceof CancelledError ? { state: 'idle' } : { state: 'failed', message: errorShown(error) });
          throw error;
        } finally {
          // The final state is shown before the next task begins.
          this.turns.end();
        }
      },
    );
  }

  private tell(error: unknown): void {
    this.log.error(messageOf(error));
    void showFailure(error, t('Show Log')).then((chosen) => chosen && this.log.show());
  }

  private begin(
    task: Task,
    title: string,
    signal: AbortSignal,
    notification: vscode.Progress<{ message: string; increment: number }>,
  ): Step {
    this.enter({ state: 'running', task, title, progress: null });
    // What runs, also while the engine starts and reads the model.
    notification.report({ message: title, increment: 0 });
    let shown = 0;
    const tell: OnProgress = (progress) => {
      notification.report({ message: `${title}: ${progress.message}`, increment: 100 * (progress.fraction - shown) });
      shown = progress.fraction;
      this.enter({ state: 'running', task, title, progress });
    };
    return { signal, onProgress: withTimeLeft(tell, () => performance.now()) };
  }

  private enter(state: Activity): void {
    this.state = state;
    void vscode.commands.executeCommand('setContext', runningKey, state.state === 'running');
    this.changed.fire(state);
  }
}

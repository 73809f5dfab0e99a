import * as vscode from 'vscode';
import { CancelledError, errorShown, InputError, messageOf } from '../../core/errors';
import { fetchProgressText, type HubFile, type Offer, offerLines } from '../../core/fetch/offer';
import { formatBytes } from '../../core/format';
import { t } from '../../core/l10n';
import { shown } from '../../core/text/printable';
import { HubConnection } from '../../engine/tasks/fetch/connection';
import { type FetchedModel, fetchOffer } from '../../engine/tasks/fetch/fetch';
import { type AskedModel, askedModel, SeveralFiles } from '../../engine/tasks/fetch/files';
import { offerOf } from '../../engine/tasks/fetch/offer';
import { hubSettings } from '../../engine/tasks/fetch/settings';
import { withoutIcons } from '../editor/part-picker';
import type { ModelAccess } from '../prompts/models';
import { setModel } from '../settings';
import { showFailure, showInformation } from '../notify';

/**
 * Gets models from Hugging Face's hub, each after a consent.
 *
 * It runs in the extension host, whose `fetch` follows VS Code's settings of a proxy.
 */
export class Fetches {
  constructor(
    private readonly access: ModelAccess,
    private readonly log: vscode.LogOutputChannel,
  ) {}

  /** Asks for a repository, shows what would be fetched, fetches it where the user agrees, and offers to use it. */
  async getModel(): Promise<void> {
    try {
      const typed = await askForRepository();
      const hub = typed === undefined ? '' : await this.hub();
      const settings = typed === undefined ? undefined : await hubSettings();
      if (typed === undefined || settings === undefined) {
        return;
      }
      const offer = await this.cancellable(t('Looking for {0}', typed), (signal) =>
        offerOrPick(askedModel(typed, { endpoint: settings.endpoint }), new HubConnection(settings, globalThis.fetch, signal), hub),
      );
      if (offer === undefined || !(await agrees(offer))) {
        return;
      }
      const { name } = await this.cancellable(t('Getting {0}', shown(offer.repository, 100)), (signal, report) =>
        fetched(offer, new HubConnection(settings, globalThis.fetch, signal), signal, report),
      );
      this.log.info(`${name} was fetched: ${offer.repository} at ${offer.commit}.`);
      const use = t('Use This Model');
      if ((await showInformation(t('Two Heads: {0} is on this machine now.', name), use)) === use) {
        await setModel(name);
      }
    } catch (error) {
      if (error instanceof CancelledError) {
        void showInformation(t('Two Heads: the fetch was cancelled; get the model again to continue.'));
      } else {
        this.log.error(messageOf(error));
        void showFailure(error);
      }
    }
  }

  /** The cache. @throws InputError where it lies in a workspace that is not trusted */
  private async hub(): Promise<string> {
    const { hub } = await this.access.stores();
    if (hub === '') {
      throw new InputError("Hugging Face's cache is in a workspace that is not trusted; trust the workspace to fetch a model into it.");
    }
    return hub;
  }

  private cancellable<T>(title: string, work: (signal: AbortSignal, report: Report) => Promise<T>): Thenable<T> {
    const controller = new AbortController();
    const options = { location: vscode.ProgressLocation.Notification, title: `Two Heads: ${title}`, cancellable: true };
    return vscode.window.withProgress(options, (notification, token) => {
      token.onCancellationRequested(() => controller.abort());
      return work(controller.signal, (value) => notification.report(value));
    });
  }
}

type Report = (value: { readonly message: string; readonly increment: number }) => void;

async function askForRepository(): Promise<string | undefined> {
  return vscode.window.showInputBox({
    title: t('Get a Model'),
    prompt: t("A repository on Hugging Face's hub: org/name, org/name@revision, or org/name:Q4_K_M for a GGUF file."),
    placeHolder: 'org/name',
    ignoreFocusOut: true,
    validateInput: (text) => {
      try {
        askedModel(text);
        return undefined;
      } catch (error) {
        return errorShown(error);
      }
    },
  });
}

/** What the hub offers; where that is several models in GGUF, the one that the user picks. */
async function offerOrPick(asked: AskedModel, connection: HubConnection, hub: string): Promise<Offer | undefined> {
  try {
    return await offerOf(asked, connection, hub);
  } catch (error) {
    if (!(error instanceof SeveralFiles)) {
      throw error;
    }
    const file = await pickFile(error.files);
    return file === undefined ? undefined : offerOf({ ...asked, gguf: file }, connection, hub);
  }
}

async function pickFile(files: readonly HubFile[]): Promise<string | undefined> {
  const items = files.map(({ name, bytes }) => ({ label: withoutIcons(shown(name, 100)), description: formatBytes(bytes), name }));
  const picked = await vscode.window.showQuickPick(items, { title: t('Get a Model'), placeHolder: t('Which of its files?') });
  return picked?.name;
}

/** Asks for consent in a modal message; what is in the cache already needs none. */
async function agrees(offer: Offer): Promise<boolean> {
  if (offer.missingBytes === 0) {
    return true;
  }
  const get = t('Get the Model');
  const asked = t('Fetch {0} ({1})?', shown(offer.repository, 100), formatBytes(offer.missingBytes));
  return (await vscode.window.showInformationMessage(asked, { modal: true, detail: offerLines(offer).join('\n') }, get)) === get;
}

/** Shortest time between two reports, in milliseconds: a fetch of gigabytes has millions of pieces. */
const reportEveryMs = 200;

async function fetched(offer: Offer, connection: HubConnection, signal: AbortSignal, report: Report): Promise<FetchedModel> {
  let percent = 0;
  let next = 0;
  return fetchOffer(offer, {
    connection,
    signal,
    onProgress: (progress) => {
      if (performance.now() >= next || progress.bytes === progress.totalBytes) {
        next = performance.now() + reportEveryMs;
        const now = (100 * progress.bytes) / Math.max(1, progress.totalBytes);
        report({ message: fetchProgressText(progress), increment: now - percent });
        percent = now;
      }
    },
  });
}

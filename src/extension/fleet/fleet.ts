import * as vscode from 'vscode';
import type { ExperimentSummary } from '../../core/evaluate/report';
import { t, text } from '../../core/l10n';
import type { CallOptions } from '../../engine/process/client';
import { type BrokerAddress, endpointOf } from '../../fleet/address';
import type { FleetClient } from '../../fleet/process/fleet-client';
import type { SeenFleet } from '../../fleet/process/fleet-methods';
import { Disposable } from '../disposable';
import type { ModelAccess } from '../prompts/models';
import { brokerSetting, settingsSection } from '../settings';
import { showFailure, showWarning } from '../notify';

/** The setting that names the broker, as the settings editor finds it. */
const setting = `${settingsSection}.fleet.broker`;

/** Context key for the manifest: whether a broker is set. */
const hasBrokerKey = 'twoHeads.hasBroker';

/** Where the brokers are kept that the user let tokens go to, by host and port. */
const consentsKey = 'fleet.consents';

/** Fixes that refusals name. */
const hints = {
  givePassword: text("give it with the command Set the Broker's Password"),
  dropPassword: text("remove it with the command Set the Broker's Password"),
  passwordPlace: text("what the command Set the Broker's Password keeps"),
  trust: text("start VS Code with NODE_EXTRA_CA_CERTS naming its authority's certificate"),
};

/** The extension's access to a broker: the one that the user named, its password, and whether tokens may go there. */
export class Fleet extends Disposable {
  private readonly changed = this.own(new vscode.EventEmitter<void>());
  /** Fires after the broker or its password changed. */
  readonly onDidChange = this.changed.event;

  /**
   * @param secrets keep a password for each broker
   * @param state keeps what the user consented to
   */
  constructor(
    private readonly client: FleetClient,
    private readonly access: ModelAccess,
    private readonly secrets: vscode.SecretStorage,
    private readonly state: vscode.Memento,
  ) {
    super();
    this.own(client);
    this.own(
      vscode.workspace.onDidChangeConfiguration((event) => {
        if (event.affectsConfiguration(setting)) {
          this.tell();
        }
      }),
    );
    this.own(secrets.onDidChange(() => this.changed.fire()));
    this.tell();
  }

  /** Whether a broker is set. */
  get hasBroker(): boolean {
    return brokerSetting() !== '';
  }

  /** The broker's host and port. @throws InputError where the setting is no address */
  get name(): string {
    return endpointOf({ url: brokerSetting(), hints }).name;
  }

  /** What the broker has. @throws InputError where it cannot be used */
  async look(): Promise<SeenFleet> {
    return this.client.call('state', { address: await this.address() });
  }

  /** Runs an experiment file on the broker's workers. @throws InputError, CancelledError */
  async evaluateFile(file: string, options: CallOptions): Promise<ExperimentSummary> {
    return this.client.call('evaluate', { address: await this.address(), request: { file } }, options);
  }

  /** Whether experiment files may run on the broker: asks the user once for each broker, and says what is in the way. */
  async mayRun(): Promise<boolean> {
    try {
      if (!this.hasBroker) {
        await this.askForBroker();
        return false;
      }
      this.access.checkExperimentFile();
      return await this.hasConsent(this.name);
    } catch (error) {
      void showFailure(error);
      return false;
    }
  }

  /** Asks for the broker's password, and keeps it in the secret storage; an empty one is removed. */
  async setPassword(): Promise<void> {
    try {
      if (!this.hasBroker) {
        await this.askForBroker();
        return;
      }
      const { name } = this;
      const password = await vscode.window.showInputBox({
        title: t('Password of {0}', name),
        prompt: t('Kept in the secret storage of this machine. Leave it empty to remove it.'),
        password: true,
        ignoreFocusOut: true,
      });
      if (password === '') {
        await this.secrets.delete(secretOf(name));
      } else if (password !== undefined) {
        await this.secrets.store(secretOf(name), password);
      }
    } catch (error) {
      void showFailure(error);
    }
  }

  /** The broker, with its password: another broker never gets that. @throws InputError where the setting is no address */
  private async address(): Promise<BrokerAddress> {
    return { url: brokerSetting(), password: await this.secrets.get(secretOf(this.name)), hints };
  }

  private async askForBroker(): Promise<void> {
    const open = t('Open Settings');
    const asked = t('Two Heads: no broker is set whose workers could measure; name one in the setting {0}.', setting);
    if ((await showWarning(asked, open)) === open) {
      await vscode.commands.executeCommand('workbench.action.openSettings', setting);
    }
  }

  private async hasConsent(name: string): Promise<boolean> {
    const kept: unknown = this.state.get(consentsKey);
    const consents: readonly unknown[] = Array.isArray(kept) ? kept : [];
    if (consents.includes(name)) {
      return true;
    }
    const run = t('Run');
    const asked = t("The prompt's tokens leave this machine for {0} and its workers.", name);
    const detail = t('Whoever can read that broker or its workers can read the prompts. You are asked once for each broker.');
    if ((await vscode.window.showWarningMessage(asked, { modal: true, detail }, run)) !== run) {
      return false;
    }
    await this.state.update(consentsKey, [...consents, name]);
    return true;
  }

  private tell(): void {
    void vscode.commands.executeCommand('setContext', hasBrokerKey, this.hasBroker);
    this.changed.fire();
  }
}

function secretOf(name: string): string {
  return `fleet.password ${name}`;
}

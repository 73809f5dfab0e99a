import * as vscode from 'vscode';
import { messageOf } from '../../core/errors';
import { makePlan, type Plan } from '../../core/plan/plan';
import { planRequest } from '../../core/plan/request';
import type { Calibration } from '../../core/device/calibration';
import { devicePrediction, type DevicePrediction } from '../../core/report/prediction';
import { withTokenizerNote } from '../../core/report/tokenizer';
import type { TokenMap, TokenMapper } from '../../engine/tokenizer/token-map';
import type { ChoiceStore } from '../choice';
import { Disposable } from '../disposable';
import { engineSettings, settingsSection } from '../settings';
import { isPrompt } from './active-prompt';
import type { Calibrations } from './calibrations';
import type { ModelReader, PlanningModel } from './model-reader';

/** A prompt document as it was planned last. */
export type PromptPlan =
  | {
      readonly plan: Plan;
      /** What the calibrated device is expected to take. */
      readonly prediction: DevicePrediction | null;
      readonly calibration: Calibration | undefined;
      readonly tokenMap: TokenMap;
      readonly version: number;
      readonly error: null;
    }
  | { readonly version: number; readonly error: string };

/** What is kept for an open prompt. */
interface Entry {
  timer: NodeJS.Timeout | undefined;
  /** Counts the updates asked for; an update that is no longer the latest gives up. */
  wanted: number;
  mapper: { readonly model: PlanningModel; readonly mapper: TokenMapper } | undefined;
  latest: PromptPlan | undefined;
  /** What the last finished update took. */
  lastUpdateMs: number;
}

/**
 * Pause after a keystroke before the prompt is planned again, in milliseconds: hardly any where the last update was quick,
 * so that hints follow the keys; a longer one where it was not, so that typing is not held up.
 */
const typingPauseMs = { quick: 5, slow: 100 } as const;
const quickUpdateMs = 30;

/**
 * Plans open prompts, again whenever their text, the choice or the model changes.
 *
 * Every lens, hint, hover, status item and the panel draw from the plans kept here.
 */
export class PromptPlans extends Disposable {
  private readonly changed = this.own(new vscode.EventEmitter<vscode.TextDocument>());
  /** Fires when a document has a new plan. */
  readonly onDidChange = this.changed.event;
  private readonly entries = new Map<vscode.TextDocument, Entry>();

  constructor(
    private readonly choices: ChoiceStore,
    private readonly models: ModelReader,
    private readonly calibrations: Calibrations,
  ) {
    super();
    this.own(vscode.workspace.onDidChangeTextDocument(({ document }) => this.edited(document)));
    this.own(vscode.workspace.onDidCloseTextDocument((document) => this.forget(document)));
    this.own(choices.onDidChange(() => this.scheduleAll()));
    this.own(calibrations.onDidChange(() => this.scheduleAll()));
    this.own(vscode.workspace.onDidChangeConfiguration((event) => event.affectsConfiguration(settingsSection) && this.scheduleAll()));
  }

  /** The latest plan of a document. The first question about a document starts its planning. */
  get(document: vscode.TextDocument): PromptPlan | undefined {
    if (!isPrompt(document)) {
      return undefined;
    }
    const entry = this.entries.get(document);
    if (entry === undefined) {
      this.schedule(document, 0);
    }
    return entry?.latest;
  }

  override dispose(): void {
    for (const document of [...this.entries.keys()]) {
      this.forget(document);
    }
    super.dispose();
  }

  private edited(document: vscode.TextDocument): void {
    const entry = this.entries.get(document);
    if (entry !== undefined) {
      this.schedule(document, entry.lastUpdateMs <= quickUpdateMs ? typingPauseMs.quick : typingPauseMs.slow);
    }
  }

  private scheduleAll(): void {
    for (const document of this.entries.keys()) {
      this.schedule(document, 0);
    }
  }

  private schedule(document: vscode.TextDocument, pauseMs: number): void {
    const entry = this.entries.get(document) ?? { timer: undefined, wanted: 0, mapper: undefined, latest: undefined, lastUpdateMs: 0 };
    this.entries.set(document, entry);
    clearTimeout(entry.timer);
    entry.wanted += 1;
    entry.timer = setTimeout(() => void this.update(document, entry), pauseMs);
  }

  private async update(document: vscode.TextDocument, entry: Entry): Promise<void> {
    const { wanted } = entry;
    const isStale = (): boolean => entry.wanted !== wanted || document.isClosed;
    const { version } = document;
    const start = performance.now();
    const latest = await this.plan(document, entry, version, isStale).catch(
      (error: unknown): PromptPlan => ({ version, error: messageOf(error) }),
    );
    if (latest !== undefined && !isStale()) {
      entry.latest = latest;
      entry.lastUpdateMs = performance.now() - start;
      this.changed.fire(document);
    }
  }

  /** Tokenizes and plans; undefined once a newer update was asked for. */
  private async plan(document: vscode.TextDocument, entry: Entry, version: number, isStale: () => boolean): Promise<PromptPlan | undefined> {
    const choice = this.choices.read();
    if (choice.error !== null) {
      return { version, error: choice.error };
    }
    const options = { ...engineSettings(), ...choice };
    const model = await this.models.read(options.model);
    if (entry.mapper?.model !== model) {
      entry.mapper = { model, mapper: model.createMapper() };
    }
    const text = document.getText();
    if (text.length === 0) {
      return { version, error: 'This prompt is empty.' };
    }
    const tokenMap = await entry.mapper.mapper.map(text, isStale);
    if (tokenMap === undefined || isStale()) {
      return undefined;
    }
    const request = planRequest(tokenMap.tokens, model.folder.config.shape, options);
    const calibration = await this.calibrations.choose(options.provider, options.threads, request);
    const plan = withTokenizerNote(makePlan({ ...request, scoreBytes: calibration?.scoreBytes }), model.tokenizer);
    return { plan, prediction: devicePrediction(plan, calibration), calibration, tokenMap, version, error: null };
  }

  private forget(document: vscode.TextDocument): void {
    clearTimeout(this.entries.get(document)?.timer);
    this.entries.delete(document);
  }
}

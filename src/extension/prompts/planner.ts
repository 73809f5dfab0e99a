import type * as vscode from 'vscode';
import type { WantedScenarios } from '../../core/compare/sort-scenarios';
import { InputError } from '../../core/errors';
import { editorSettings } from '../../core/options/editor';
import type { SimulationOptions } from '../../core/options/table';
import type { PlanDocument } from '../../core/report/report';
import type { Scenario, ScenarioParameters } from '../../core/scenario/scenario';
import type { PlannerClient } from '../../engine/process/planner-client';
import type { PlannedPromptData, PromptCosts, PromptRequest, TextChange } from '../../engine/process/planner-methods';
import { type ChunkPlaces, TokenPlaces } from '../../engine/read/tokenizer/token-places';
import type { Prompt } from '../../engine/read/prompt';
import type { ChoiceStore } from '../choice';
import { engineSettings } from '../settings';
import type { Calibrations } from './calibrations';
import type { ModelAccess } from './models';

/** Longest time that a plan may take before its thread is ended, in milliseconds: a tokenizer's pattern may never end. */
const longestMs = 60_000;

/** Languages whose headings are recognised: Markdown, and those of VS Code for prompts, which are Markdown too. */
const headedLanguages = ['markdown', ...editorSettings.languages.default];

/** A planned prompt. */
export interface PlannedText extends Pick<PlannedPromptData, 'plan' | 'prediction' | 'calibration' | 'sections'> {
  /** Which token is where. */
  readonly places: TokenPlaces;
}

/** What the planning thread knows of an open prompt, so that only what changed is sent. */
export class SentPrompt {
  /** The version that the thread has; undefined if it has none that can be told of. */
  private version: number | undefined;
  private changes: TextChange[] = [];
  private places: TokenPlaces = new TokenPlaces<ChunkPlaces>([], 0, 0);

  constructor(private readonly document: vscode.TextDocument) {}

  get id(): string {
    return this.document.uri.toString();
  }

  /** Follows changes that the editor tells of: from the end of the text to its start, so that none shifts another. */
  changed(changes: readonly vscode.TextDocumentContentChangeEvent[]): void {
    this.changes.push(
      ...changes.map(({ rangeOffset, rangeLength, text }) => ({ offset: rangeOffset, removed: rangeLength, inserted: text })),
    );
  }

  /** The thread has to get the whole text again: another one was started, or the text changed in ways that nobody tells of. */
  forget(): void {
    this.version = undefined;
  }

  /** The text as it is now, for the thread, which has it then. */
  take(): Omit<PromptRequest, 'options' | 'candidates'> {
    const { document, version: since, changes } = this;
    const { version } = document;
    this.version = version;
    this.changes = [];
    const change = since === undefined ? { text: document.getText() } : { since, changes };
    return { document: this.id, version, change, hasSections: headedLanguages.includes(document.languageId) };
  }

  /** A result of the thread with the places that it tells of. Every result has to be taken, in turn. */
  placed({ places, before, after, plan, prediction, calibration, sections }: PlannedPromptData): PlannedText {
    this.places = new TokenPlaces(this.places.chunksAfter(places), before, after);
    return { plan, prediction, calibration, sections, places: this.places };
  }
}

/** Plans prompts and other texts in the planning thread, with the user's choice and settings. */
export class Planner {
  constructor(
    private readonly client: PlannerClient,
    private readonly access: ModelAccess,
    private readonly choices: ChoiceStore,
    private readonly calibrations: Calibrations,
  ) {}

  /**
   * Plans an open prompt as it is now.
   *
   * @param signal says that the result is no longer needed
   * @throws InputError if the choice, the model or the text cannot be planned, or takes too long; CancelledError
   */
  async plan(prompt: SentPrompt, signal: AbortSignal): Promise<PlannedText> {
    const choice = this.choices.read();
    if (choice.error !== null) {
      throw new InputError(choice.error);
    }
    const options = { ...engineSettings(), ...choice };
    await this.access.check(options.model);
    const candidates = await this.calibrations.candidates(options);
    return limited(signal, async (limit) => {
      for (;;) {
        const result = await this.client.call('plan', { ...prompt.take(), options, candidates }, { signal: limit });
        if (result !== 'unknown') {
          return prompt.placed(result);
        }
        prompt.forget();
      }
    });
  }

  /** What an open prompt costs beside other scenarios; null where it is not planned. @throws CancelledError */
  costs(prompt: SentPrompt, parameters: ScenarioParameters, signal: AbortSignal): Promise<PromptCosts | null> {
    return limited(signal, (limit) => this.client.call('costs', { document: prompt.id, parameters }, { signal: limit }));
  }

  /** Scenarios beside that of an open prompt's plan that have a quality; none where it is not planned. */
  evaluated(prompt: SentPrompt, parameters: ScenarioParameters): Promise<readonly Scenario[]> {
    const { signal } = new AbortController();
    return limited(signal, (limit) => this.client.call('evaluated', { document: prompt.id, parameters }, { signal: limit }));
  }

  /** Lets the thread forget a prompt that was closed. */
  close(prompt: SentPrompt): void {
    // Where the thread ends, so does what it knows.
    this.client.call('close', { document: prompt.id }).catch(() => undefined);
  }

  /**
   * Plans a text under every wanted scenario that it can have.
   *
   * @throws InputError for a model that may not be loaded or cannot be read, or where a scenario may not be left out;
   * CancelledError
   */
  async planText(
    { path, text }: Pick<Prompt, 'path' | 'text'>,
    options: SimulationOptions,
    wanted: WantedScenarios,
    signal: AbortSignal,
  ): Promise<readonly PlanDocument[]> {
    await this.access.check(options.model);
    const candidates = await this.calibrations.candidates(options);
    return limited(signal, (limit) => this.client.call('planText', { path, text, options, candidates, ...wanted }, { signal: limit }));
  }
}

/** Limits the time of a call. @throws InputError where it is over */
async function limited<T>(signal: AbortSignal, call: (limit: AbortSignal) => Promise<T>): Promise<T> {
  const limit = AbortSignal.timeout(longestMs);
  try {
    return await call(AbortSignal.any([signal, limit]));
  } catch (error) {
    if (limit.aborted && !signal.aborted) {
      throw new InputError(
        `Planning took more than ${longestMs / 1000} s and was ended; cut the prompt with twoHeads.maxTokens, or choose another model or mask.`,
      );
    }
    throw error;
  }
}

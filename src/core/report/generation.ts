import type { SamplingOptions } from '../generate/choose';
import type { Scenario } from '../scenario/scenario';
import type { OracleShape } from '../shapes';
import type { Environment, ModelDescription, PromptDigest, reportSchemaVersion } from './report';

/** The most tokens that a prompt is continued by: this is to see what a scenario does, not to write books. */
export const largestGeneration = 10_000;

/** What a user can choose about a continuation. */
export interface GenerationOptions extends SamplingOptions {
  /** Tokens to add, at most. */
  readonly tokens: number;
  /** Whether to continue under the model's own attention as well. */
  readonly baseline: boolean;
}

/** Calls that were made, counted where they are made. */
export interface CallsMade {
  readonly attention: number;
  readonly tokenwise: number;
  /** Native `run()` calls that carried them. */
  readonly dispatches: number;
}

/** A token that was added. */
export interface GeneratedToken {
  readonly id: number;
  /** Half of a character is a replacement character. */
  readonly text: string;
  /** By the model under the scenario, in nats, before temperature and cuts. */
  readonly logProbability: number;
}

/** A prompt, continued under one scenario. */
export interface Continuation {
  readonly scenario: Scenario;
  readonly text: string;
  readonly tokens: readonly GeneratedToken[];
  /** Whether the model ended it, or it has as many tokens as were asked for. */
  readonly ended: 'end-of-sequence' | 'length';
  /** Keys that the cache holds at the end, in the layer that holds most. */
  readonly cachedKeys: number;
  /** Of keys and values in all layers, as they are allocated. */
  readonly cacheBytes: number;
  readonly prefillMs: number;
  readonly decodeMs: number;
  /** Calls for the prompt, and for the tokens that were added. */
  readonly prefillCalls: CallsMade;
  readonly decodeCalls: CallsMade;
}

/** What `generate --json` prints. */
export interface GenerationReport {
  readonly schemaVersion: typeof reportSchemaVersion;
  readonly prompt: PromptDigest;
  readonly model: ModelDescription;
  readonly oracle: OracleShape;
  readonly generation: GenerationOptions;
  readonly continuation: Continuation;
  /** Under the model's own attention; null where that is the scenario, or it was not asked for. */
  readonly baseline: Continuation | null;
  /** Tokens with which both begin; null without a baseline. */
  readonly sameTokens: number | null;
  readonly run: { readonly provider: string; readonly device: string; readonly threads: number; readonly peakRssBytes: number };
  readonly environment: Environment;
}

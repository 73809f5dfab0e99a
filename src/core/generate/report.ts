import { formatBytes, formatCount, formatDuration, formatFixed, formatNumberOf } from '../format';
import { t } from '../l10n';
import { contextNote } from '../plan/context-length';
import type { Option } from '../options/option';
import { peakText, type RunMemory } from '../predict/memory';
import type { Environment, Fidelity, ModelDescription, PromptDigest, reportSchemaVersion } from '../report/report';
import { type Verdict, verdictText } from '../report/verdict';
import { type Scenario, scenarioLabel } from '../scenario/scenario';
import type { OracleShape } from '../shapes';
import { visible } from '../text/printable';
import { greedy, type SamplingOptions } from './choose';

/** The most tokens that a prompt is continued by: this is to see what a scenario does, not to write books. */
export const largestGeneration = 10_000;

/** What a user can choose about a continuation. */
export interface GenerationOptions extends SamplingOptions {
  /** Tokens to add, at most. */
  readonly tokens: number;
  /** Whether to continue under the model's own attention as well. */
  readonly baseline: boolean;
}

/** Every option of a continuation. */
export const generationTable = {
  tokens: {
    flag: 'tokens',
    symbol: 'n',
    description: 'Tokens to add, at most.',
    value: { type: 'whole', minimum: 1, maximum: largestGeneration },
    default: 32,
  },
  baseline: {
    flag: 'baseline',
    description: "Also continue under the model's own attention.",
    value: { type: 'switch', off: "Leave out the continuation under the model's own attention." },
    default: true,
  },
  temperature: {
    flag: 'temperature',
    symbol: 'x',
    description: 'Sample, with logits divided by this.',
    value: { type: 'number', maximum: 100, zero: { word: 'greedy', meaning: 'always the most likely token' } },
    default: greedy.temperature,
  },
  topK: {
    flag: 'top-k',
    symbol: 'n',
    description: 'Sample from so many of the most likely tokens.',
    value: { type: 'whole', minimum: 1, maximum: Number.MAX_SAFE_INTEGER, zero: { word: 'all', meaning: 'all of them' } },
    default: greedy.topK,
  },
  topP: {
    flag: 'top-p',
    symbol: 'x',
    description: 'Sample from the fewest tokens whose probabilities come to this.',
    value: { type: 'number', maximum: 1 },
    default: greedy.topP,
  },
  seed: {
    flag: 'sample-seed',
    symbol: 'n',
    description: 'Seed of the sample.',
    value: { type: 'whole', minimum: 0, maximum: 2 ** 32 - 1 },
    default: greedy.seed,
  },
} as const satisfies Readonly<Record<keyof GenerationOptions, Option>>;

/** Calls that were made, counted where they are made. */
interface CallsMade {
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
  /** Where that begins in the text of the continuation, in UTF-16 units; its end for a token that ends it. */
  readonly from: number;
  /** By the model under the scenario, in nats, before temperature and cuts. */
  readonly logProbability: number;
}

/** A prompt, continued under one scenario. */
export interface Continuation {
  readonly scenario: Scenario;
  readonly text: string;
  readonly tokens: readonly GeneratedToken[];
  /** Whether the model ended it, or it has as many tokens as were asked for, or the logits of the next one were no numbers. */
  readonly ended: 'end-of-sequence' | 'length' | 'no-numbers';
  /** Keys that the cache holds at the end, in the layer that holds most. */
  readonly cachedKeys: number;
  /** Of keys and values in all layers, as they are allocated. */
  readonly cacheBytes: number;
  /** Runs of the whole sequence at lengths that change its rotary embedding, and the tokens read in all of them. */
  readonly reruns: { readonly times: number; readonly tokens: number };
  readonly prefillMs: number;
  /** Of the tokens that were added, runs of the whole sequence included. */
  readonly decodeMs: number;
  /** Calls for the prompt, and for the tokens that were added, runs of the whole sequence included. */
  readonly prefillCalls: CallsMade;
  readonly decodeCalls: CallsMade;
  /** Of the prompt's run, of runs of the whole sequence and of the steps between them; null where it was not checked. */
  readonly fidelity: Fidelity | null;
  /** Rows of all that whose last residual stream overflowed, checked or not; absent in reports of earlier versions. */
  readonly lostRows?: number | undefined;
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
  /** On all that was run, under the scenario and the model's own attention: the worse of both. */
  readonly verdict: Verdict;
  readonly run: {
    readonly provider: string;
    readonly device: string;
    readonly threads: number;
    readonly peakRssBytes: number;
    readonly memory?: RunMemory;
  };
  readonly environment: Environment;
}

/** Continuations as a person reads them. */
export function generationText(report: GenerationReport): string {
  const { prompt, model, oracle, generation, continuation, baseline, sameTokens, verdict, run } = report;
  const past = contextNote(prompt.tokens + Math.max(addedRead(continuation), baseline === null ? 0 : addedRead(baseline)), model.shape);
  return [
    [
      t(
        '{0}: {1} on {2}, M = {3}',
        visible(prompt.path),
        formatNumberOf(prompt.tokens, 'token'),
        model.name,
        formatCount(oracle.inputLength),
      ),
      t('continued by up to {0} ({1})', formatNumberOf(generation.tokens, 'token'), choosingText(generation)),
    ].join('\n'),
    continuationText(continuation, prompt.tokens, `${scenarioLabel(continuation.scenario)}:`),
    ...(baseline === null || sameTokens === null
      ? []
      : [
          continuationText(baseline, prompt.tokens, t("{0}, the model's own attention:", scenarioLabel(baseline.scenario))),
          sameText(sameTokens, continuation, baseline),
        ]),
    ...(past === undefined ? [] : [past]),
    `${t('Peak memory')}: ${peakText(run)}`,
    // The engine gives the reason, in English.
    `${t('Verdict')}: ${verdictText(verdict)}`,
  ].join('\n\n');
}

/** Added tokens that were read: the last one is not, but where its successor was looked for in vain. */
function addedRead({ tokens, ended }: Continuation): number {
  return ended === 'no-numbers' ? tokens.length : tokens.length - 1;
}

/** How each token is chosen. */
function choosingText({ temperature, topK, topP, seed }: GenerationReport['generation']): string {
  return temperature === 0
    ? t('greedy')
    : [
        t('temperature {0}', temperature),
        ...(topK > 0 ? [t('top {0}', topK)] : []),
        ...(topP < 1 ? [t('top p {0}', topP)] : []),
        t('seed {0}', seed),
      ].join(', ');
}

function continuationText(continuation: Continuation, promptTokens: number, title: string): string {
  const { text, tokens, ended, cachedKeys, cacheBytes, reruns, prefillMs, decodeMs, prefillCalls, decodeCalls } = continuation;
  const mean = tokens.reduce((sum, { logProbability }) => sum + logProbability, 0) / tokens.length;
  const calls = ({ attention, tokenwise }: Continuation['decodeCalls']): string => formatNumberOf(attention + tokenwise, 'call');
  const figures = [
    ended === 'no-numbers'
      ? t('{0}, then logits that are not numbers', formatNumberOf(tokens.length, 'token'))
      : t(
          ended === 'end-of-sequence' ? '{0}, then the model ended the text; mean log-probability {1}' : '{0}; mean log-probability {1}',
          formatNumberOf(tokens.length, 'token'),
          formatFixed(mean, 2),
        ),
    t(
      'prompt {0} ({1}), then {2} a token ({3})',
      formatDuration(prefillMs),
      calls(prefillCalls),
      formatDuration(decodeMs / Math.max(1, tokens.length)),
      calls(decodeCalls),
    ),
    t(
      'cache of {0} keys after {1}, {2}',
      formatCount(cachedKeys),
      formatNumberOf(promptTokens + addedRead(continuation), 'token'),
      formatBytes(cacheBytes),
    ),
    ...(reruns.times === 0
      ? []
      : [
          t(
            'the rope changes with the length: these figures include {0} of the whole sequence, {1} in all',
            formatNumberOf(reruns.times, 'run'),
            formatNumberOf(reruns.tokens, 'token'),
          ),
        ]),
  ];
  return [title, ...text.split('\n').map((line) => `  | ${line}`), ...figures.map((line) => `  ${line}`)].join('\n');
}

/** The first token at which a continuation differs from that under the model's own attention, as positions of its text. */
export interface Difference {
  /** Counted from 0 from the first token that was added. */
  readonly token: number;
  /** The token under each, and where it stands; null where that continuation has ended before. */
  readonly masked: PlacedToken | null;
  readonly own: PlacedToken | null;
}

/** A token and where it is in the text of its continuation, in UTF-16 units, `to` excluded. */
export interface PlacedToken extends GeneratedToken {
  readonly to: number;
}

/** Where a continuation goes another way than that under the model's own attention; null where it does not, or there is none such. */
export function firstDifference({ continuation, baseline, sameTokens }: GenerationReport): Difference | null {
  if (baseline === null || sameTokens === null) {
    return null;
  }
  const placed = ({ tokens, text }: Continuation): PlacedToken | null => {
    const token = tokens.at(sameTokens);
    // Half of a character is replaced by the whole one, which begins at the same place.
    return token === undefined
      ? null
      : { ...token, to: Math.max(token.from, tokens.slice(sameTokens + 1).find(({ from }) => from > token.from)?.from ?? text.length) };
  };
  const [masked, own] = [placed(continuation), placed(baseline)];
  return masked === null && own === null ? null : { token: sameTokens, masked, own };
}

function sameText(same: number, { tokens }: Continuation, baseline: Continuation): string {
  if (same === tokens.length && same === baseline.tokens.length) {
    return t('Both are the same.');
  }
  return same === 0 ? t('They differ from the first token on.') : t('Both begin with the same {0}.', formatNumberOf(same, 'token'));
}

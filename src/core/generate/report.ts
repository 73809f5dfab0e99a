import { formatBytes, formatCount, formatDuration, formatNumberOf } from '../format';
import { t } from '../l10n';
import { scenarioLabel } from '../scenario/scenario';
import type { Continuation, GenerationReport } from '../report/generation';

/** Continuations as a person reads them. */
export function generationText({ prompt, model, oracle, generation, continuation, baseline, sameTokens }: GenerationReport): string {
  return [
    [
      t('{0}: {1} on {2}, M = {3}', prompt.path, formatNumberOf(prompt.tokens, 'token'), model.name, formatCount(oracle.inputLength)),
      t('continued by up to {0} ({1})', formatNumberOf(generation.tokens, 'token'), choosingText(generation)),
    ].join('\n'),
    continuationText(continuation, prompt.tokens, `${scenarioLabel(continuation.scenario)}:`),
    ...(baseline === null || sameTokens === null
      ? []
      : [
          continuationText(baseline, prompt.tokens, t("{0}, the model's own attention:", scenarioLabel(baseline.scenario))),
          sameText(sameTokens, continuation, baseline),
        ]),
  ].join('\n\n');
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

function continuationText(
  { text, tokens, ended, cachedKeys, cacheBytes, prefillMs, decodeMs, prefillCalls, decodeCalls }: Continuation,
  promptTokens: number,
  title: string,
): string {
  const mean = tokens.reduce((sum, { logProbability }) => sum + logProbability, 0) / tokens.length;
  const calls = ({ attention, tokenwise }: Continuation['decodeCalls']): string => formatNumberOf(attention + tokenwise, 'call');
  const figures = [
    t(
      ended === 'end-of-sequence' ? '{0}, then the model ended the text; mean log-probability {1}' : '{0}; mean log-probability {1}',
      formatNumberOf(tokens.length, 'token'),
      mean.toFixed(2),
    ),
    t(
      'prompt {0} ({1}), then {2} a token ({3})',
      formatDuration(prefillMs),
      calls(prefillCalls),
      formatDuration(decodeMs / tokens.length),
      calls(decodeCalls),
    ),
    t(
      'cache of {0} keys after {1}, {2}',
      formatCount(cachedKeys),
      formatNumberOf(promptTokens + tokens.length - 1, 'token'),
      formatBytes(cacheBytes),
    ),
  ];
  return [title, ...text.split('\n').map((line) => `  | ${line}`), ...figures.map((line) => `  ${line}`)].join('\n');
}

function sameText(same: number, { tokens }: Continuation, baseline: Continuation): string {
  if (same === tokens.length && same === baseline.tokens.length) {
    return t('Both are the same.');
  }
  return same === 0 ? t('They differ from the first token on.') : t('Both begin with the same {0}.', formatNumberOf(same, 'token'));
}

import { formatBytes, formatCount, formatDuration, formatNumberOf } from '../format';
import { scenarioLabel } from '../masks';
import type { Continuation, GenerationReport } from '../report/generation';

/** Continuations as a person reads them. */
export function generationText({ prompt, model, oracle, generation, continuation, baseline, sameTokens }: GenerationReport): string {
  const { tokens, temperature, topK, topP, seed } = generation;
  const cuts = `${topK > 0 ? `, top ${topK}` : ''}${topP < 1 ? `, top p ${topP}` : ''}`;
  const how = temperature === 0 ? 'greedy' : `temperature ${temperature}${cuts}, seed ${seed}`;
  return [
    `${prompt.path}: ${formatNumberOf(prompt.tokens, 'token')} on ${model.name}, M = ${formatCount(oracle.inputLength)}\ncontinued by up to ${formatNumberOf(tokens, 'token')} (${how})`,
    continuationText(continuation, prompt.tokens, ''),
    ...(baseline === null || sameTokens === null ? [] : [continuationText(baseline, prompt.tokens, ", the model's own attention"), sameText(sameTokens, continuation, baseline)]),
  ].join('\n\n');
}

function continuationText({ scenario, text, tokens, ended, cachedKeys, cacheBytes, prefillMs, decodeMs, prefillCalls, decodeCalls }: Continuation, promptTokens: number, remark: string): string {
  const mean = tokens.reduce((sum, { logProbability }) => sum + logProbability, 0) / tokens.length;
  const calls = ({ attention, tokenwise }: Continuation['decodeCalls']): string => formatNumberOf(attention + tokenwise, 'call');
  return [
    `${scenarioLabel(scenario)}${remark}:`,
    ...text.split('\n').map((line) => `  | ${line}`),
    `  ${formatNumberOf(tokens.length, 'token')}${ended === 'end-of-sequence' ? ', then the model ended the text' : ''}; mean log-probability ${mean.toFixed(2)}`,
    `  prompt ${formatDuration(prefillMs)} (${calls(prefillCalls)}), then ${formatDuration(decodeMs / tokens.length)} a token (${calls(decodeCalls)})`,
    `  cache of ${formatCount(cachedKeys)} keys after ${formatNumberOf(promptTokens + tokens.length - 1, 'token')}, ${formatBytes(cacheBytes)}`,
  ].join('\n');
}

function sameText(same: number, { tokens }: Continuation, baseline: Continuation): string {
  if (same === tokens.length && same === baseline.tokens.length) {
    return 'Both are the same.';
  }
  return same === 0 ? 'They differ from the first token on.' : `Both begin with the same ${formatNumberOf(same, 'token')}.`;
}

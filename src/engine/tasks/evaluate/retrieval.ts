import { join, resolve } from 'node:path';
import { InputError } from '../../../core/errors';
import { type Outcome, type RetrievalCase, type RetrievalRequest, rightAnswers } from '../../../core/evaluate/retrieval';
import {
  accidentalMatch,
  generatedFiller,
  placeStatements,
  retrievalCases,
  type Statements,
  statementsOf,
} from '../../../core/evaluate/retrieval-cases';
import { LookUps } from '../../../core/evaluate/retrieval-expectation';
import type { Job, Sequence } from '../../../core/evaluate/units';
import { formatCount } from '../../../core/format';
import { isSampled, layerGroups, maskOf, type Scenario, tileRuleOf } from '../../../core/scenario/scenario';
import { interruptible } from '../../interruptible';
import type { ModelFolder } from '../../read/model/load';
import { CheckpointFiles } from '../../read/model/shards';
import type { PromptTokenizer } from '../../read/tokenizer/tokenizer';
import { unitOf } from './results';
import type { ExperimentText } from './texts';

/** A retrieval case in its haystack with its answer. */
export interface PlacedCase {
  readonly asked: RetrievalCase;
  /** What the model reads: context and answer, without the answer's last token. */
  readonly tokens: Int32Array;
  /** The row that predicts the answer's first token; the next ones follow. */
  readonly row: number;
  /** Token ids of the answer. */
  readonly answer: readonly number[];
  /** Answers that are right. */
  readonly right: number;
}

/** Draws of a case whose words the haystack has by accident, before it is refused. */
const mostDraws = 20;

/**
 * Hides the statements of every case of a request in the text of all prompts, or in generated filler.
 *
 * @throws InputError where the answer has no token, a length is longer than the text or too short for the statements, or the
 *   haystack has what is asked for itself
 */
export function placeCases(request: RetrievalRequest, texts: readonly ExperimentText[], tokenizer: PromptTokenizer): PlacedCase[] {
  const haystack = haystackOf(request, texts, tokenizer);
  const [{ specials }] = texts;
  return retrievalCases(request).map((asked): PlacedCase => {
    for (let draw = 0; ; draw += 1) {
      const statements = statementsOf({ ...asked, seed: asked.seed + draw }, request, haystack.text);
      const { placed, accident } = placeCase(asked, statements, haystack.tokens, tokenizer, specials.before);
      if (accident === undefined) {
        return placed;
      }
      // The user's own needle is the same at every draw.
      if (asked.task === 'single' || draw === mostDraws) {
        throw new InputError(
          `The haystack itself has what is asked for ("${statements.question.trim()}") at token ${formatCount(accident + 1)}, so that more than one place answers it; ask for something else, or use another text or --retrieval-filler generated.`,
        );
      }
    }
  });
}

function placeCase(
  asked: RetrievalCase,
  { hidden: written, question, answer }: Statements,
  haystack: Int32Array,
  tokenizer: PromptTokenizer,
  prefix: readonly number[],
): { readonly placed: PlacedCase; readonly accident: number | undefined } {
  const answerTokens = [...tokenizer.encodePart(answer)];
  if (answerTokens.length === 0) {
    throw new InputError(`Retrieval answer "${answer}" has no token; give one of at least one.`);
  }
  const hidden = written.map(({ text, depth }) => ({
    tokens: tokenizer.encodePart(text),
    depth,
  }));
  const questionTokens = tokenizer.encodePart(question);
  const { tokens, starts } = placeStatements(haystack, hidden, questionTokens, asked.length, prefix);
  const own = starts.map((from, index) => ({ from, to: from + hidden[index].tokens.length }));
  return {
    placed: {
      asked,
      tokens: Int32Array.from([...tokens, ...answerTokens.slice(0, -1)]),
      row: asked.length - 1,
      answer: answerTokens,
      right: rightAnswers(asked.task),
    },
    accident: accidentalMatch(tokens, own, questionTokens, answerTokens),
  };
}

/** What statements are hidden in. */
function haystackOf(
  { filler, seed, lengths }: RetrievalRequest,
  texts: readonly ExperimentText[],
  tokenizer: PromptTokenizer,
): { readonly text: string; readonly tokens: Int32Array } {
  if (filler === 'prompt') {
    return {
      text: texts.map(({ read }) => read.text).join('\n'),
      tokens: Int32Array.from(texts.flatMap(({ text }) => [...text])),
    };
  }
  const needed = Math.max(...lengths);
  for (let characters = 4 * needed; ; characters *= 2) {
    const text = generatedFiller(characters, seed);
    const tokens = tokenizer.encodePart(text);
    if (tokens.length >= needed) {
      return { text, tokens };
    }
  }
}

/** Cases in their haystacks as sequences to measure. */
export function retrievalSequences(cases: readonly PlacedCase[]): Sequence[] {
  return cases.map(({ tokens, row, answer }): Sequence => ({
    tokens,
    scoring: { kind: 'retrieval', row, answer },
    // The answer's last token is not among those that are read.
    about: { kind: 'retrieval', tokens: unitOf({ tokens: [...tokens], answer: answer.slice(-1) }), row },
  }));
}

/** The model whose right answers are known: it ships, and a script sets its weights. */
const knownModel = 'induction-bytes';

/** Numbers of the code that this model has for each byte. */
const codeWidth = 16;

/**
 * What is found by definition under each job, by job and case; null where nothing is known, as of every model but
 * `induction-bytes`.
 */
export async function expectedOutcomes(
  cases: readonly PlacedCase[],
  jobs: readonly Job[],
  { folder, config: { shape } }: ModelFolder,
  modelsFolder: string,
): Promise<readonly (readonly (Outcome | null)[])[]> {
  if (resolve(folder) !== resolve(join(modelsFolder, knownModel))) {
    return jobs.map(() => cases.map(() => null));
  }
  const files = await CheckpointFiles.open(folder);
  const { data, shape: stored } = files.read('model.embed_tokens.weight');
  const codes = Array.from({ length: stored[0] }, (_, byte) => data.subarray(byte * stored[1], byte * stored[1] + codeWidth));
  return jobs.map(({ scenario }) =>
    interruptible(() => {
      const lookUps = new Map<number, LookUps>();
      return cases.map(({ tokens, row, answer, right }) => {
        // Which head finds what is hidden is the model's matter.
        if (isSampled(scenario) || tileRuleOf(scenario) !== undefined || scenario.kind === 'per-head') {
          return null;
        }
        const own = lookUps.get(tokens.length) ?? new LookUps(codes, predicateOf(scenario, shape.layers, tokens.length));
        lookUps.set(tokens.length, own);
        return own.outcome(tokens, row, answer, right);
      });
    }),
  );
}

/** Whether a layer lets a query see a key. */
function predicateOf(scenario: Scenario, layers: number, tokens: number): (layer: number, query: number, key: number) => boolean {
  const byLayer: ((query: number, key: number) => boolean)[] = [];
  for (const group of layerGroups(scenario, layers)) {
    const { allows } = maskOf(group.scenario, tokens);
    group.layers.forEach((layer) => (byLayer[layer] = allows));
  }
  return (layer, query, key) => byLayer[layer](query, key);
}

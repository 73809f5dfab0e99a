import { InputError } from '../../../core/errors';
import type { Experiment, NeedleGridRequest } from '../../../core/evaluate/experiment';
import { placeNeedle } from '../../../core/evaluate/needles';
import { positionBins } from '../../../core/evaluate/statistics';
import type { Sequence } from '../../../core/evaluate/units';
import { cutWindows, type EvaluationWindow, specialTokens, type SpecialTokens } from '../../../core/evaluate/windows';
import type { ModelFolder } from '../../read/model/load';
import { checkVariables } from '../../../core/source/variables';
import { interruptible } from '../../interruptible';
import { digestOf, type Prompt } from '../../read/prompt';
import { readingModel, readSource } from '../../read/source/read-source';
import type { PromptText } from '../../../core/source/prompt-text';
import { checkVocabulary, type PromptTokenizer } from '../../read/tokenizer/tokenizer';
import { unitOf } from './results';

/** A prompt of an experiment. */
export interface ExperimentText {
  readonly prompt: Prompt;
  /** What the model reads of it. */
  readonly read: PromptText;
  /** Hex SHA-256 of that: equal texts are measured once. */
  readonly digest: string;
  /** N, special tokens included. */
  readonly tokens: number;
  /** Token ids without special tokens. */
  readonly text: Int32Array;
  readonly specials: SpecialTokens;
  readonly windows: readonly EvaluationWindow[];
}

/**
 * Tokenizes prompts and cuts them into windows.
 *
 * @param sizes context and stride, both above 0
 * @throws InputError for a tokenizer that is not this model's, and a context that leaves no room
 */
export async function readTexts(
  prompts: readonly Prompt[],
  tokenizer: PromptTokenizer,
  model: ModelFolder,
  { maximumWindows }: Pick<Experiment, 'maximumWindows'>,
  sizes: { readonly context: number; readonly stride: number },
): Promise<ExperimentText[]> {
  const reading = await readingModel(model);
  const texts: ExperimentText[] = [];
  for (const prompt of prompts) {
    const read = interruptible(() => readSource(prompt, reading));
    const own = tokenizer.for(read);
    const whole = interruptible(() => own.encode(read.text));
    if (whole.length === 0) {
      throw new InputError(`${prompt.path} has no token; give a prompt of at least one.`);
    }
    checkVocabulary(whole, model, tokenizer.source);
    const text = interruptible(() => own.encodePart(read.text));
    const specials = specialTokens(whole, text);
    const cut = cutWindows(text, specials, sizes.context, sizes.stride, model.config.predicts === 'next');
    const windows = maximumWindows > 0 ? cut.slice(0, maximumWindows) : cut;
    texts.push({ prompt, read, digest: digestOf(read.text), tokens: whole.length, text, specials, windows });
  }
  texts.slice(0, 1).forEach(({ prompt: { source } }) =>
    checkVariables(
      source.variables,
      texts.map(({ read }) => read),
    ),
  );
  return texts;
}

/** A needle in its haystack with its answer. */
export interface PlacedAnswer {
  readonly length: number;
  readonly depth: number;
  /** What the model reads: context and answer, without the answer's last token. */
  readonly tokens: Int32Array;
  /** The row that predicts the answer's first token; the next ones follow. */
  readonly row: number;
  /** Token ids of the answer. */
  readonly answer: readonly number[];
}

/**
 * Hides a needle in the text of all prompts, at every depth of every length.
 *
 * @throws InputError where the answer has no token, or a length is longer than the text or too short for the needle
 */
export function placeNeedles(
  { needle, question, answer, lengths, depths }: NeedleGridRequest,
  texts: readonly ExperimentText[],
  tokenizer: PromptTokenizer,
): PlacedAnswer[] {
  const answerTokens = [...tokenizer.encodePart(answer)];
  if (answerTokens.length === 0) {
    throw new InputError(`Needle answer "${answer}" has no token; give one of at least one.`);
  }
  const haystack = Int32Array.from(texts.flatMap(({ text }) => [...text]));
  const [{ specials }] = texts;
  return lengths.flatMap((length) =>
    depths.map((depth): PlacedAnswer => {
      const { tokens } = placeNeedle(
        haystack,
        tokenizer.encodePart(needle),
        tokenizer.encodePart(question),
        length,
        depth,
        specials.before,
      );
      return { length, depth, tokens: Int32Array.from([...tokens, ...answerTokens.slice(0, -1)]), row: length - 1, answer: answerTokens };
    }),
  );
}

/**
 * The windows of texts as sequences to measure.
 *
 * @param context tokens of a window, by which the positions of all windows are binned
 */
export function windowSequences(texts: readonly ExperimentText[], context: number, trainedTokens: number | undefined): Sequence[] {
  const edges = positionBins(context, trainedTokens);
  // Results of earlier versions lack the edge, and those that need none stay as they were.
  const edge = edges.length > positionBins(context).length ? { trainedTokens } : {};
  return texts.flatMap(({ digest, windows }) =>
    windows.map(({ tokens, start, end, from, to, targets }): Sequence => ({
      tokens,
      scoring: { kind: 'window', from, to, targets, edges },
      about: { kind: 'window', prompt: digest, start, end, from, to, context, ...edge },
    })),
  );
}

/** Needles in their haystacks as sequences to measure. */
export function needleSequences(needles: readonly PlacedAnswer[]): Sequence[] {
  return needles.map(({ tokens, row, answer }): Sequence => ({
    tokens,
    scoring: { kind: 'needle', row, answer },
    // The answer's last token is not among those that are read.
    about: { kind: 'needle', tokens: unitOf({ tokens: [...tokens], answer: answer.slice(-1) }), row },
  }));
}

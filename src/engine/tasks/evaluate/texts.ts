import { InputError } from '../../../core/errors';
import type { Experiment } from '../../../core/evaluate/experiment';
import { positionBins } from '../../../core/evaluate/statistics';
import type { TextSize } from '../../../core/evaluate/text-size';
import type { Sequence } from '../../../core/evaluate/units';
import { partNotes } from '../../../core/scenario/part-notes';
import { type PartName, type PartStarts, startsInWindow } from '../../../core/scenario/scenario';
import { cutWindows, type EvaluationWindow, specialTokens, type SpecialTokens } from '../../../core/evaluate/windows';
import { said } from '../../../core/l10n';
import type { ModelFolder } from '../../read/model/load';
import { checkVariables } from '../../../core/source/variables';
import { interruptible } from '../../interruptible';
import { digestOf, type Prompt } from '../../read/prompt';
import { partStarts } from '../../read/part-starts';
import { readingModel, readSource } from '../../read/source/read-source';
import type { PromptText } from '../../../core/source/prompt-text';
import { coveredText } from '../../read/tokenizer/covered-text';
import type { TokenPlaces } from '../../read/tokenizer/token-places';
import { checkVocabulary, type PromptTokenizer } from '../../read/tokenizer/tokenizer';

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
  /** Where the parts begin that scenarios count, in the tokens of `text`. */
  readonly starts: PartStarts;
  /** How much text the scored tokens of each window cover, or why that is not known. */
  readonly sizes: readonly TextSize[] | string;
}

/**
 * Tokenizes prompts and cuts them into windows.
 *
 * @param sizes context and stride, both above 0
 * @param counted the parts that scenarios count
 * @throws InputError for a tokenizer that is not this model's, and a context that leaves no room
 */
export async function readTexts(
  prompts: readonly Prompt[],
  tokenizer: PromptTokenizer,
  model: ModelFolder,
  { maximumWindows, score, quality, separator }: Pick<Experiment, 'maximumWindows' | 'score' | 'quality' | 'separator'>,
  sizes: { readonly context: number; readonly stride: number },
  counted: readonly PartName[] = [],
): Promise<ExperimentText[]> {
  const reading = await readingModel(model);
  const texts: ExperimentText[] = [];
  for (const prompt of prompts) {
    const source = interruptible(() => readSource(prompt, reading));
    const own = tokenizer.for(source);
    const whole = interruptible(() => own.encode(source.text));
    if (whole.length === 0) {
      throw new InputError(`${prompt.path} has no token; give a prompt of at least one.`);
    }
    checkVocabulary(whole, model, tokenizer.source);
    const text = interruptible(() => own.encodePart(source.text));
    const specials = specialTokens(whole, text);
    const cut = cutWindows(text, specials, sizes.context, sizes.stride, model.config.predicts === 'next', score);
    const windows = maximumWindows > 0 ? cut.slice(0, maximumWindows) : cut;
    const covered = quality ? interruptible(() => windowSizes(source.text, tokenizer, windows, specials)) : said`Quality was not measured.`;
    const places = (): TokenPlaces => tokenizer.bare.places(source.text, text.length);
    const starts =
      counted.length === 0 ? {} : interruptible(() => partStarts(counted, { text: source, places, tokens: text.length, separator }));
    const read = { ...source, notes: [...source.notes, ...partNotes(starts)] };
    texts.push({ prompt, read, digest: digestOf(source.text), tokens: whole.length, text, specials, windows, starts, sizes: covered });
  }
  texts.slice(0, 1).forEach(({ prompt: { source } }) =>
    checkVariables(
      source.variables,
      texts.map(({ read }) => read),
    ),
  );
  return texts;
}

/**
 * How much text the tokens cover that windows score, or why that is not known.
 *
 * By the places of tokens in the text as it is, whatever the tokenizer makes of it. A token that begins within a character
 * begins where the character does, so that a window that ends there leaves the character to the next one.
 */
function windowSizes(
  text: string,
  tokenizer: PromptTokenizer,
  windows: readonly EvaluationWindow[],
  { before }: SpecialTokens,
): ExperimentText['sizes'] {
  // Row r of a window predicts the token after it.
  const scored = windows.map(({ start, from, to }) => ({
    from: start + from + 1 - before.length,
    to: start + to + 1 - before.length,
  }));
  return coveredText(text, tokenizer.bare, scored);
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
  return texts.flatMap(({ digest, windows, starts, specials: { before } }) =>
    windows.map(({ tokens, start, end, from, to, targets }): Sequence => ({
      tokens,
      starts: startsInWindow(starts, start, end, before.length),
      scoring: { kind: 'window', from, to, targets, edges },
      about: { kind: 'window', prompt: digest, start, end, from, to, context, ...edge },
    })),
  );
}

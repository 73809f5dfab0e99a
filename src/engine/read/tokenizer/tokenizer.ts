import { join } from 'node:path';
import { InputError, messageOf } from '../../../core/errors';
import { said } from '../../../core/l10n';
import type { TokenizerDescription } from '../../../core/report/report';
import type { PromptText } from '../../../core/source/prompt-text';
import { shown } from '../../../core/text/printable';
import { parseJson } from '../input/json';
import { inputLimits } from '../input/limits';
import { exists } from '../input/regular-file';
import { readRegularText } from '../input/text';
import { kindAt } from '../model/found/folders';
import { readGgufHeader } from '../model/gguf/header';
import { type ModelFolder, runConfig } from '../model/load';
import type { Codec } from './codec';
import { codecOf } from './definition';
import { encodingCodec, encodingFor, parseStandIn, type StandIn, standInName } from './encodings';
import { ggufDefinition } from './gguf/definition';
import { tokenizerKeys } from './gguf/vocabulary';
import type { Check } from './model';
import { firstIds, firstPlaces, TokenIndex } from './token-index';
import type { TokenPlaces } from './token-places';

/** Where a model's folder has its tokenizer. */
export const tokenizerFile = 'tokenizer.json';
/** Where a GGUF file has it: the beginning of its keys. */
const tokenizerNamespace = 'tokenizer.ggml';

const fix = said`use a folder with the model's tokenizer.json, or, only to plan, one with ${standInName} (docs/models.md)`;
const repair = said`download it again`;
const otherFile = said`use another GGUF file of the model`;

/** A model's tokenizer: converts text to token ids and back, and indexes text by its tokens. */
export class PromptTokenizer {
  private withoutSpecials: PromptTokenizer | undefined;

  private constructor(
    private readonly codec: Codec,
    readonly source: TokenizerDescription,
  ) {}

  /**
   * Reads a model's tokenizer: of a folder, `tokenizer.json`, or else the encoding that `tokenizer-stand-in.json` names; of a GGUF
   * file, that of its metadata, or an encoding if it is of a kind that is not read.
   *
   * @param folder the model's folder, or its GGUF file
   * @throws InputError if there is none, or it is malformed
   */
  static async load(folder: string): Promise<PromptTokenizer> {
    if ((await kindAt(folder)) === 'file') {
      return PromptTokenizer.ofGguf(folder);
    }
    const path = join(folder, tokenizerFile);
    const standIn = join(folder, standInName);
    if (!(await exists(path)) && (await exists(standIn))) {
      return PromptTokenizer.standingIn(parseStandIn(await readRegularText(standIn, inputLimits.standIn, fix, repair), standIn));
    }
    // What is wrong with reading it says all there is to say.
    const definition = parseJson(await readRegularText(path, inputLimits.tokenizer, fix, repair), path, fix);
    return PromptTokenizer.defined(definition, tokenizerFile, path, fix);
  }

  private static async ofGguf(path: string): Promise<PromptTokenizer> {
    const { metadata } = await readGgufHeader(path, path, tokenizerKeys);
    const found = ggufDefinition(metadata, path);
    return found.definition === undefined
      ? PromptTokenizer.standingIn({ encoding: encodingFor(found.tokens), exact: false, reason: found.reason, error: null })
      : PromptTokenizer.defined(found.definition, tokenizerNamespace, path, otherFile, found.approximation);
  }

  /**
   * @param name of what defines it
   * @param known why it may differ from the model's own, where that is known before
   * @throws InputError where it is no tokenizer
   */
  private static defined(definition: unknown, name: string, path: string, remedy: string, known?: string): PromptTokenizer {
    try {
      const codec = codecOf(definition);
      const approximation = known ?? codec.approximation;
      return new PromptTokenizer(codec, { name, exact: approximation === null, reason: approximation, error: null });
    } catch (error) {
      // What the library runs into where a part is of another kind tells nobody which.
      const reason = error instanceof TypeError || error instanceof RangeError ? said`one of its parts is malformed` : messageOf(error);
      throw new InputError(
        remedy === otherFile
          ? `${path} cannot be used (${shown(reason, 160)}); use another GGUF file of the model.`
          : `${path} cannot be used (${shown(reason, 160)}); ${remedy}.`,
      );
    }
  }

  private static async standingIn({ encoding, ...described }: StandIn): Promise<PromptTokenizer> {
    return new PromptTokenizer(await encodingCodec(encoding), { name: encoding, ...described });
  }

  /** Ids that the tokenizer adds before every prompt, such as the beginning-of-sequence token. */
  get prefix(): readonly number[] {
    return this.codec.prefix;
  }

  /** Ids that the tokenizer adds after every prompt. */
  get suffix(): readonly number[] {
    return this.codec.suffix;
  }

  /**
   * Token ids of a whole prompt, with those that the tokenizer adds.
   *
   * @param most how many are wanted: the first ones of the whole; no more of the text is read than they need
   * @param check may stop it by throwing
   */
  encode(text: string, most?: number, check?: Check): Int32Array {
    return firstIds(this.codec, text, most, check);
  }

  /** The same tokenizer for text that has its special tokens in it, such as a chat: it adds none. */
  get bare(): PromptTokenizer {
    return (this.withoutSpecials ??= new PromptTokenizer({ ...this.codec, prefix: [], suffix: [] }, this.source));
  }

  /** The tokenizer for what a model reads of a prompt. */
  for({ isComplete }: Pick<PromptText, 'isComplete'>): PromptTokenizer {
    return isComplete ? this.bare : this;
  }

  /** Token ids of a part of a prompt, without those that the tokenizer adds. */
  encodePart(text: string): Int32Array {
    return this.bare.encode(text);
  }

  /** The index of an empty prompt: `edited` gives that of any other. */
  get emptyIndex(): TokenIndex {
    return TokenIndex.empty(this.codec);
  }

  /** The tokens of a prompt with their places. @param check may stop it by throwing */
  index(text: string, check?: Check): TokenIndex {
    return TokenIndex.of(this.codec, text, check);
  }

  /**
   * The places of the first tokens of a prompt.
   *
   * @param most how many are wanted; no more of the text is read than they need
   * @param check may stop it by throwing
   */
  places(text: string, most: number, check?: Check): TokenPlaces {
    return firstPlaces(this.codec, text, most, check);
  }

  /** The text of token ids; an incomplete character becomes a replacement character. */
  decode(ids: readonly number[]): string {
    return this.codec.decode(ids);
  }
}

/**
 * Refuses tokens outside the model's embedding. Tokens of a stand-in encoding, which only estimates their number, may be
 * outside.
 *
 * @throws InputError that names the token
 */
export function checkVocabulary(tokens: Int32Array, { folder, config }: ModelFolder, { name, exact }: TokenizerDescription): void {
  const { vocabulary } = config.shape;
  const stray = exact ? tokens.find((token) => token < 0 || token >= vocabulary) : undefined;
  if (stray !== undefined) {
    throw new InputError(
      `${folder}: ${name} gives token ${stray} but its configuration has a vocabulary of ${vocabulary}; they belong to different models.`,
    );
  }
}

/** Refuses to run a model that is only planned, and tokens that are not its own. @throws InputError that names what is in the way */
export function checkRunnable(model: Pick<ModelFolder, 'name' | 'config'>, { name, exact }: TokenizerDescription): void {
  runConfig(model);
  if (!exact) {
    throw new InputError(
      `${model.name} can be planned, not run: ${name} only estimates its tokens; to run it, give the model's folder with tokenizer.json and weights.`,
    );
  }
}

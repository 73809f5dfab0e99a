import { join } from 'node:path';
import { InputError, messageOf } from '../../../core/errors';
import type { TokenizerDescription } from '../../../core/report/report';
import { shown } from '../../../core/text/printable';
import type { ModelFolder } from '../model/load';
import { parsePythonJson } from '../input/json';
import { inputLimits } from '../input/limits';
import { exists } from '../input/regular-file';
import { readRegularText } from '../input/text';
import { codecOf } from './definition';
import { type Codec, encodingCodec, parseStandIn, standInName } from './encodings';

const tokenizerFile = 'tokenizer.json';

const fix = "use a folder with the model's tokenizer.json";
const repair = 'download it again';

/** A model's tokenizer: converts text to token ids, and token ids to positions in the text. */
export class PromptTokenizer {
  private constructor(
    private readonly codec: Codec,
    readonly source: TokenizerDescription,
    /** Ids that the tokenizer adds before every prompt, such as the beginning-of-sequence token. */
    readonly prefix: readonly number[],
  ) {}

  /**
   * Reads the tokenizer of a model's folder: `tokenizer.json` (with `tokenizer_config.json` if present), or else the
   * encoding that `tokenizer-stand-in.json` names.
   *
   * @throws InputError if there is neither, or it is malformed
   */
  static async load(folder: string): Promise<PromptTokenizer> {
    const path = join(folder, tokenizerFile);
    const standIn = join(folder, standInName);
    if (!(await exists(path)) && (await exists(standIn))) {
      const { encoding, exact, reason } = parseStandIn(await readRegularText(standIn, inputLimits.tokenizerConfig, fix, repair), standIn);
      return new PromptTokenizer(await encodingCodec(encoding), { name: encoding, exact, reason }, []);
    }
    // What is wrong with reading them says all there is to say.
    const definition = await readRegularText(path, inputLimits.tokenizer, fix, repair);
    const settings = await settingsOf(folder);
    try {
      const codec = codecOf(JSON.parse(definition) as object, parsePythonJson(settings, 'tokenizer_config.json', repair) as object);
      return new PromptTokenizer(codec, { name: tokenizerFile, exact: true, reason: null }, codec.encode('', true));
    } catch (error) {
      throw new InputError(`${path} cannot be used (${shown(messageOf(error), 160)}); ${fix}.`);
    }
  }

  /** Token ids of a whole prompt, including the prefix. */
  encode(text: string): Int32Array {
    return Int32Array.from(this.codec.encode(text, true));
  }

  /** Token ids of a part of a prompt, without the prefix. */
  encodePart(text: string): readonly number[] {
    return this.codec.encode(text, false);
  }

  /** The text of token ids; an incomplete character becomes a replacement character. */
  decode(ids: readonly number[]): string {
    return this.codec.decode(ids);
  }

  /**
   * Offset where token `index` of a part begins, in UTF-16 code units.
   *
   * A token that begins inside a character (byte-level vocabularies split characters) is placed at that character.
   */
  offsetInPart(text: string, ids: readonly number[], index: number): number {
    if (index <= 0) {
      return 0;
    }
    return Math.min(text.length, this.codec.decode(ids.slice(0, index)).replace(/\uFFFD+$/u, '').length);
  }
}

/** The tokenizer's configuration as JSON; many tokenizers have none. */
async function settingsOf(folder: string): Promise<string> {
  const path = join(folder, 'tokenizer_config.json');
  return (await exists(path)) ? readRegularText(path, inputLimits.tokenizerConfig, fix, repair) : '{}';
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
      `${folder}: ${name} gives token ${stray} but config.json has a vocabulary of ${vocabulary}; they belong to different models.`,
    );
  }
}

/** Refuses to run tokens that are not the model's own. @throws InputError that names the stand-in */
export function checkRunnable(model: string, { name, exact }: TokenizerDescription): void {
  if (!exact) {
    throw new InputError(
      `${model} can be planned, not run: ${name} only estimates its tokens; to run it, give the model's folder with tokenizer.json and weights.`,
    );
  }
}

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Tokenizer } from '@huggingface/tokenizers';
import { InputError, messageOf } from '../../core/errors';

/** A model's tokenizer: text to token ids, and back for positions in the text. */
export class PromptTokenizer {
  private constructor(
    private readonly tokenizer: Tokenizer,
    /** Ids that the tokenizer puts before every prompt, such as the beginning-of-sequence token. */
    readonly prefix: readonly number[],
  ) {}

  /**
   * Reads `tokenizer.json` (and `tokenizer_config.json` where there is one) of a model's folder.
   *
   * @throws InputError where it is missing or malformed
   */
  static async load(folder: string): Promise<PromptTokenizer> {
    const path = join(folder, 'tokenizer.json');
    try {
      const definition = JSON.parse(await readFile(path, 'utf8')) as object;
      const config = JSON.parse(await readFile(join(folder, 'tokenizer_config.json'), 'utf8').catch(() => '{}')) as object;
      const tokenizer = new Tokenizer(definition, config);
      return new PromptTokenizer(tokenizer, tokenizer.encode('').ids);
    } catch (error) {
      throw new InputError(`${path} cannot be used (${messageOf(error)}); use a folder with the model's tokenizer.json.`);
    }
  }

  /** Token ids of a whole prompt, the prefix included. */
  encode(text: string): Int32Array {
    return Int32Array.from(this.tokenizer.encode(text).ids);
  }

  /** Token ids of a part of a prompt, without the prefix. */
  encodePart(text: string): readonly number[] {
    return this.tokenizer.encode(text, { add_special_tokens: false }).ids;
  }

  /**
   * Where token `index` of a part begins, in UTF-16 code units.
   *
   * A token that begins inside a character (byte-level vocabularies split characters) is placed at that character.
   */
  offsetInPart(text: string, ids: readonly number[], index: number): number {
    if (index <= 0) {
      return 0;
    }
    const before = this.tokenizer.decode(ids.slice(0, index), { clean_up_tokenization_spaces: false });
    return Math.min(text.length, before.replace(/\uFFFD+$/u, '').length);
  }
}

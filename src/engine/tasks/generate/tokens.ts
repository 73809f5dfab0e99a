import { join } from 'node:path';
import * as z from 'zod';
import { InputError } from '../../../core/errors';
import { said } from '../../../core/l10n';
import { parsePythonJson } from '../../read/input/json';
import { inputLimits } from '../../read/input/limits';
import { exists } from '../../read/input/regular-file';
import { readRegularText } from '../../read/input/text';
import { kindAt } from '../../read/model/found/folders';
import { readGgufHeader } from '../../read/model/gguf/header';
import type { PromptTokenizer } from '../../read/tokenizer/tokenizer';

const id = z.number().int().nonnegative();
const schema = z.object({ eos_token_id: z.union([id, z.array(id)]).nullish() });

/** Keys of a GGUF file that name tokens by which a model ends: of a text, of a turn, of a message. */
const ggufEnds = ['eos', 'eot', 'eom'].map((name) => `tokenizer.ggml.${name}_token_id`);

/**
 * The tokens with which a model ends a text: as `generation_config.json` says, or else `config.json`, or the metadata of a GGUF file;
 * perhaps none.
 *
 * @param folder the model's folder, or its GGUF file
 * @throws InputError for a file that is not JSON, or ids that are none
 */
export async function endTokens(folder: string): Promise<ReadonlySet<number>> {
  if ((await kindAt(folder)) === 'file') {
    const { metadata } = await readGgufHeader(folder, folder);
    return new Set(ggufEnds.map((key) => metadata.get(key)).filter((value) => typeof value === 'number'));
  }
  for (const name of ['generation_config.json', 'config.json']) {
    const path = join(folder, name);
    const ids = (await exists(path))
      ? idsOf(
          await readRegularText(
            path,
            inputLimits.config,
            said`use a folder with config.json and safetensors files`,
            said`restore the model's ${name}`,
          ),
          path,
        )
      : undefined;
    if (ids !== undefined) {
      return new Set(ids);
    }
  }
  return new Set();
}

function idsOf(text: string, path: string): readonly number[] | undefined {
  const parsed = schema.safeParse(parsePythonJson(text, path, said`download it again`));
  if (!parsed.success) {
    throw new InputError(`${path}: eos_token_id is neither a token id nor a list of them; download it again.`);
  }
  const { eos_token_id: ids } = parsed.data;
  return typeof ids === 'number' ? [ids] : (ids ?? undefined);
}

/** Tokens that are decoded after the end of the prompt: a tokenizer may decode the first token of a text in another way. */
const contextTokens = 8;

/** The text of tokens that follow a prompt. */
export class TokenText {
  private readonly ids: number[];
  private readonly from: number;
  private before: string;

  constructor(
    private readonly tokenizer: PromptTokenizer,
    prompt: Int32Array,
  ) {
    this.ids = [...prompt.slice(-contextTokens)];
    this.before = tokenizer.decode(this.ids);
    this.from = this.before.length;
  }

  /** The text of all tokens so far. */
  get whole(): string {
    return this.before.slice(this.from);
  }

  /** Adds a token. @returns the text that came with it, and where that begins in the text of all */
  add(id: number): { readonly text: string; readonly from: number } {
    this.ids.push(id);
    const now = this.tokenizer.decode(this.ids);
    // What was half of a character until now is a whole one.
    const stable = this.before.replace(/\uFFFD+$/u, '').length;
    this.before = now;
    const start = Math.max(stable, this.from);
    return { text: now.slice(start), from: start - this.from };
  }
}

import { InputError } from '../../../../core/errors';
import { said } from '../../../../core/l10n';
import { quoted, shown } from '../../../../core/text/printable';
import type { Metadata, MetadataList, MetadataValue, TextList } from '../../model/gguf/metadata';

/** The keys that a tokenizer and a chat template need, whole. */
export const tokenizerKeys = (key: string): boolean => key.startsWith('tokenizer.');

/** llama.cpp's numbers for kinds of tokens (`llama_token_type`). */
export const tokenKinds = { normal: 1, unknown: 2, control: 3, userDefined: 4 } as const;

/** Most tokens and merges that are read: several times what published models have, 262,144 and 514,906. */
const mostTokens = 2 ** 20;
const mostMerges = 2 ** 21;
/** Longest token in code units; published ones have up to some hundreds. */
const longestToken = 4096;

/** What a GGUF file says under `tokenizer.ggml.`, each value checked when it is asked for. */
export class GgufVocabulary {
  /** Ids by token. Tokens without text, which some vocabularies are filled with, have none. */
  readonly ids: ReadonlyMap<string, number>;

  /** @param path named in errors @throws InputError for tokens that are no text, or there twice */
  private constructor(
    private readonly metadata: Metadata,
    private readonly path: string,
    /** Tokens by id. */
    readonly tokens: readonly string[],
  ) {
    const ids = new Map<string, number>();
    tokens.forEach((token, id) => {
      const before = ids.get(token);
      if (before !== undefined) {
        this.stop(said`has the token ${quoted(token)} twice, as ${before} and ${id}`);
      }
      if (token !== '') {
        ids.set(token, id);
      }
    });
    this.ids = ids;
  }

  /** @returns undefined where the file has no tokens */
  static of(metadata: Metadata, path: string): GgufVocabulary | undefined {
    const list = metadata.get('tokenizer.ggml.tokens');
    return list === undefined ? undefined : new GgufVocabulary(metadata, path, textsOf(list, 'tokenizer.ggml.tokens', mostTokens, path));
  }

  get architecture(): string {
    return this.text('general.architecture') ?? '';
  }

  /** @throws InputError where it is something else */
  text(key: string): string | undefined {
    const value = this.metadata.get(key);
    return value === undefined || typeof value === 'string' ? value : this.stop(said`has ${key}, which is no text`);
  }

  /** @throws InputError where it is something else */
  flag(key: string): boolean | undefined {
    const value = this.metadata.get(key);
    return value === undefined || typeof value === 'boolean' ? value : this.stop(said`has ${key}, which is neither true nor false`);
  }

  /** The token that a key names by its id. @throws InputError where there is no such token */
  token(key: string, id?: number): string | undefined {
    const value = this.metadata.get(key) ?? id;
    if (value === undefined) {
      return undefined;
    }
    const token = typeof value === 'number' ? this.tokens[value] : undefined;
    if (token === undefined || token === '') {
      this.stop(said`has ${key} ${typeof value === 'number' ? value : 'that is no number'}, and tokens up to ${this.tokens.length - 1}`);
    }
    return token;
  }

  /** A number for each token, such as its score. @throws InputError for another number of them, and what is no number */
  numbers(key: string): readonly number[] | undefined {
    const list = this.metadata.get(key);
    if (list === undefined) {
      return undefined;
    }
    const values = isList(list) ? list.values : undefined;
    if (values?.length !== this.tokens.length) {
      this.stop(
        isList(list)
          ? said`has ${list.length} values of ${key} for ${this.tokens.length} tokens`
          : said`has no list of ${key} for ${this.tokens.length} tokens`,
      );
    }
    if (!values.every((value): value is number => typeof value === 'number' && Number.isFinite(value))) {
      this.stop(said`has ${key} with a value that is no number`);
    }
    return values;
  }

  /** The merges, such as `a b`, the first to go first. @throws InputError where there are none */
  get merges(): readonly string[] {
    const list = this.metadata.get('tokenizer.ggml.merges');
    return list === undefined
      ? this.stop(said`has no tokenizer.ggml.merges`)
      : textsOf(list, 'tokenizer.ggml.merges', mostMerges, this.path);
  }

  /** Bytes in base64. @throws InputError where they are none */
  base64(key: string): string | undefined {
    const list = this.metadata.get(key);
    if (list === undefined) {
      return undefined;
    }
    const values = isList(list) ? list.values : undefined;
    if (values?.every((value) => typeof value === 'number' && Number.isInteger(value) && value >= -128 && value < 256) !== true) {
      this.stop(said`has ${key}, which is no list of bytes`);
    }
    return Buffer.from(values as readonly number[]).toString('base64');
  }

  /** @throws InputError */
  stop(what: string): never {
    return stop(this.path, what);
  }
}

function textsOf(list: MetadataValue, key: string, most: number, path: string): readonly string[] {
  const texts: TextList = (isList(list) ? list.texts : undefined) ?? stop(path, said`has ${key}, which is no list of texts`);
  if (texts.length > most) {
    stop(path, said`has ${texts.length} texts in ${key}, and ${most} are allowed`);
  }
  return Array.from({ length: texts.length }, (_, index) => {
    const text = texts.at(index);
    if (text === undefined || text.length > longestToken) {
      stop(path, said`has in ${key} at ${index} a text that is ${text === undefined ? 'not UTF-8' : `longer than ${longestToken}`}`);
    }
    return text;
  });
}

function isList(value: MetadataValue): value is MetadataList {
  return typeof value === 'object';
}

function stop(path: string, what: string): never {
  throw new InputError(`${shown(path, 120)} ${what}; use another GGUF file of the model.`);
}

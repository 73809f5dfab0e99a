import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** An added token of a `tokenizer.json`, special unless `fields` say otherwise. */
export const addedToken = (id: number, content: string, fields: object = {}): object => ({
  id,
  content,
  single_word: false,
  lstrip: false,
  rstrip: false,
  normalized: false,
  special: true,
  ...fields,
});

/**
 * Writes a `tokenizer.json` to a model's folder: words `w0`, `w1`, ... are the ids from 3 on, everything else is unknown (0).
 *
 * @param words how many there are
 * @param around whether a text is put between the special tokens 1 and 2, as BERT has them
 */
export function writeTinyTokenizer(folder: string, words: number, around: boolean): void {
  const vocab = Object.fromEntries(
    ['[UNK]', '[CLS]', '[SEP]', ...Array.from({ length: words }, (_, word) => `w${word}`)].map((content, id) => [content, id]),
  );
  const piece = (id: string): object => ({ SpecialToken: { id, type_id: 0 } });
  const text = { Sequence: { id: 'A', type_id: 0 } };
  const definition = {
    version: '1.0',
    added_tokens: [addedToken(0, '[UNK]'), addedToken(1, '[CLS]'), addedToken(2, '[SEP]')],
    normalizer: null,
    pre_tokenizer: { type: 'Whitespace' },
    post_processor: around
      ? {
          type: 'TemplateProcessing',
          single: [piece('[CLS]'), text, piece('[SEP]')],
          pair: [piece('[CLS]'), text, piece('[SEP]'), { Sequence: { id: 'B', type_id: 1 } }],
          special_tokens: { '[CLS]': { id: '[CLS]', ids: [1], tokens: ['[CLS]'] }, '[SEP]': { id: '[SEP]', ids: [2], tokens: ['[SEP]'] } },
        }
      : null,
    decoder: null,
    model: { type: 'WordLevel', vocab, unk_token: '[UNK]' },
  };
  writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify(definition));
}

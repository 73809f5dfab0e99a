import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseConfig } from '../../../src/engine/read/model/config';
import { listModels } from '../../../src/engine/read/model/found/list';
import { openModel } from '../../../src/engine/read/model/load';
import { PromptTokenizer } from '../../../src/engine/read/tokenizer/tokenizer';
import { decodeText } from '../../../src/engine/read/input/decode';
import { parsePythonJson } from '../../../src/engine/read/input/json';
import { mutatedBytes, mutatedJson, mutatedText, nastyStrings, pick } from '../../support/mutate';
import { addedToken } from '../../support/tiny-tokenizer';
import { root } from '../../support/paths';
import type { Reader } from './reader';

const jsonOf = (...path: readonly string[]): unknown => JSON.parse(readFileSync(join(root, ...path), 'utf8'));

const modelWords = [
  ...[
    'llama',
    'mistral',
    'qwen3',
    'gemma3_text',
    'gpt2',
    'bert',
    'deepseek_v3',
    'linear',
    'yarn',
    'default',
    'dynamic',
    'longrope',
    'relu',
  ],
  ...['sliding_attention', 'full_attention', 'head_dim', 'rope_scaling', 'rope_theta', 'sliding_window', 'layer_types', 'rope_parameters'],
  ...['quantization_config', 'text_config', 'num_key_value_heads', 'auto_map', 'factor', 'rope_type', 'fp8', 'gptq', 'architectures'],
];

/** Configurations of models: published ones and those that run. */
export const configs: Reader = {
  title: 'config.json',
  share: 160,
  open: () => {
    const golden = readdirSync(join(root, 'test', 'golden'), { withFileTypes: true }).filter((entry) => entry.isDirectory());
    const originals = [
      ...golden.map(({ name }) => jsonOf('test', 'golden', name, 'config.json')),
      ...readdirSync(join(root, 'test', 'fixtures', 'configs'))
        .filter((name) => !name.endsWith('.md'))
        .map((name) => jsonOf('test', 'fixtures', 'configs', name, 'config.json')),
    ];
    return Promise.resolve((next) => {
      const original = pick(originals, next);
      const text = next(8) === 0 ? mutatedText(JSON.stringify(original), next, modelWords) : mutatedJson(original, next, modelWords);
      const { shape, run, lacks } = parseConfig(text, 'config.json');
      const { layers, heads, keyValueHeads, headWidth, width, feedForwardWidth, vocabulary, parameters = 0 } = shape;
      // Of layers of several kinds, some have no feed-forward part.
      const counts = [layers, heads, keyValueHeads, headWidth, width, vocabulary, feedForwardWidth + Number(shape.kinds !== undefined)];
      if (!counts.every((count) => Number.isSafeInteger(count) && count > 0) || !Number.isFinite(parameters)) {
        throw new Error(`This is no shape: ${JSON.stringify(shape)}`);
      }
      if ((run?.checkpoint.layers.length ?? layers) !== layers || lacks.length > 0 !== (run === undefined)) {
        throw new Error('The checkpoint has not the layers of the shape, or a plan does not say why it has no run.');
      }
      return run === undefined ? 'planned' : 'read';
    });
  },
};

const letters = [...Array.from('abcdefghijklmnopqrstuvwxyz _-.12'), 'é', '\n', '▁', 'Ġ', 'th', 'the', '</s>', '##a', '<0x0A>'];
const vocab = Object.fromEntries(letters.map((token, id) => [token, id]));

const tokenizers: readonly object[] = [
  { type: 'BPE', vocab, merges: ['t h', 'th e'], unk_token: null, byte_fallback: false, fuse_unk: false, ignore_merges: false },
  { type: 'BPE', vocab, merges: [['t', 'h']], byte_fallback: true, unk_token: 'a', end_of_word_suffix: '</w>', dropout: 0.1 },
  { type: 'WordPiece', vocab, unk_token: 'a', continuing_subword_prefix: '##', max_input_chars_per_word: 100 },
  { type: 'WordLevel', vocab, unk_token: 'a' },
  { type: 'Unigram', unk_id: 0, byte_fallback: false, vocab: letters.map((token, id) => [token, -id]) },
].flatMap((model) =>
  [
    { type: 'Whitespace' },
    { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
    { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true },
    {
      type: 'Sequence',
      pretokenizers: [
        { type: 'Split', pattern: { Regex: '\\s+|[a-z]+|\\p{N}{1,3}' }, behavior: 'Isolated', invert: false },
        { type: 'Digits', individual_digits: true },
        { type: 'Punctuation', behavior: 'Isolated' },
      ],
    },
  ].map((pre_tokenizer) => ({
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [addedToken(letters.length, '[MASK]', { lstrip: true }), addedToken(letters.length + 1, '<s>')],
    normalizer: { type: 'Sequence', normalizers: [{ type: 'NFKC' }, { type: 'Replace', pattern: { String: ' ' }, content: '▁' }] },
    pre_tokenizer,
    post_processor: {
      type: 'TemplateProcessing',
      single: [{ SpecialToken: { id: '<s>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
      pair: [],
      special_tokens: { '<s>': { id: '<s>', ids: [letters.length + 1], tokens: ['<s>'] } },
    },
    decoder: null,
    model,
  })),
);

const tokenizerWords = [
  ...['(a|aa)+$', '[^x]*[^y]*[^z]*[^w]*w!', '(?i:x)', '\\p{L}+', '(', '(?<=a)b', 'e -> ee', 'Lowercase', 'NFD', 'BertNormalizer', 'Strip'],
  ...['Prepend', 'Precompiled', 'Replace', 'String', 'Regex', 'Removed', 'MergedWithNext', 'Contiguous', 'Sequence', 'BPE', 'Unigram', 'e'],
  ...['WordPiece', 'BertPreTokenizer', 'BertProcessing', 'RobertaProcessing', 'ByteLevel', 'invert', 'add_prefix_space', 'ee', 'a'],
];
const sample = 'The cat, 12 ▁cats \né😀</s> [MASK] don’t  x aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab '.repeat(5);

/** Definitions of tokenizers, each used on a text. */
export const tokenizerFiles: Reader = {
  title: 'tokenizer.json',
  share: 40,
  open: (folder) =>
    Promise.resolve(async (next) => {
      writeFileSync(join(folder, 'tokenizer.json'), mutatedJson(pick(tokenizers, next), next, tokenizerWords));
      const tokenizer = await PromptTokenizer.load(folder);
      const ids = tokenizer.encode(sample);
      tokenizer.decode([...ids]);
      if (tokenizer.index(sample).tokens !== ids.length) {
        throw new Error('Its index has another number of tokens.');
      }
      return 'read';
    }),
};

/** Hugging Face's cache and Ollama's store, with what other programs write there, and folders of models. */
export const stores: Reader = {
  title: 'stores of models',
  share: 6,
  open: (folder) => {
    const models = join(folder, 'none');
    const hub = join(folder, 'hub');
    const repository = join(hub, 'models--org--name');
    const revision = '1234abcd'.repeat(5);
    const snapshot = join(repository, 'snapshots', revision);
    const ollama = join(folder, 'ollama');
    const manifest = join(ollama, 'manifests', 'registry.ollama.ai', 'library', 'tiny');
    [models, snapshot, join(repository, 'refs'), manifest, join(ollama, 'blobs')].forEach((path) => mkdirSync(path, { recursive: true }));
    const config = jsonOf('test', 'golden', 'llama', 'config.json');
    const layers = [{ mediaType: 'application/vnd.ollama.image.model', digest: `sha256:${'0'.repeat(64)}`, size: 1 }];
    const found = { hub, lmStudio: [join(folder, 'lm')], ollama: [ollama] };
    const words = ['sha256:../../secret', '../../../etc/passwd', revision, 'main', `sha256-${'0'.repeat(64)}`, 'layers', 'digest'];
    return Promise.resolve(async (next) => {
      writeFileSync(
        join(repository, 'refs', 'main'),
        next(2) === 0 ? mutatedText(revision, next, words) : pick([...words, ...nastyStrings], next),
      );
      writeFileSync(join(snapshot, 'config.json'), mutatedJson(config, next, modelWords));
      writeFileSync(join(manifest, 'latest'), mutatedJson({ schemaVersion: 2, layers }, next, words));
      await listModels(models, found);
      await openModel(next(2) === 0 ? 'org/name' : 'ollama:tiny', models, found);
      return 'read';
    });
  },
};

/** Bytes that may be text in any encoding, and Python's JSON. */
export const texts: Reader = {
  title: 'bytes of text, and JSON of Python',
  share: 60,
  open: () => {
    const python = '{"a": [NaN, Infinity, -Infinity, 1e400, "NaN \\" \\u0041", {"b": null}], "__proto__": {"c": NaN}}';
    const originals = ['\ufeffSmall té€xt 😀\r\n', python].flatMap((text) => [
      Buffer.from(text),
      Buffer.from(`\ufeff${text}`, 'utf16le'),
      Buffer.from(`\ufeff${text}`, 'utf16le').swap16(),
    ]);
    return Promise.resolve((next) => {
      const bytes = mutatedBytes(pick(originals, next), next);
      const text = decodeText(bytes, 'prompt.md');
      parsePythonJson(next(2) === 0 ? text : mutatedText(python, next), 'config.json', 'restore it');
      return 'read';
    });
  },
};

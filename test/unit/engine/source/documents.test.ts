import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parser } from '@lezer/python';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { documentOffset, documentRange } from '../../../../src/core/source/pieces';
import type { PromptText } from '../../../../src/core/source/prompt-text';
import { literalsOf } from '../../../../src/engine/read/source/literals';
import { readingModel } from '../../../../src/engine/read/source/read-source';
import { checkAscends } from '../../../support/pieces';
import { temporaryFolder } from '../../../support/temporary';
import { read } from './read';

/** The text of a document that a piece of the text comes from. */
function behind(document: string, { text, pieces }: PromptText, piece: string): string {
  const at = text.indexOf(piece);
  const { from, to } = documentRange(pieces, at, at + piece.length);
  return document.slice(from, to);
}

describe('text and Markdown', () => {
  it('are read as they are', () => {
    const document = '---\r\na: b\r\n---\r\n# T\0';
    expect(read('a.md', document)).toMatchObject({ text: document, pieces: null, format: 'markdown', notes: [], isComplete: false });
    expect(read('a', 'x')).toMatchObject({ text: 'x', pieces: null, format: 'text' });
  });

  it('take no line of a program', () => {
    expect(() => read('a.md', 'x', { line: 3 })).toThrow(/^Line 3 is of a Python.* and a\.md is read as markdown; leave the line out/);
  });
});

describe('a prompt file', () => {
  it('is sent without its front matter', () => {
    const document = '---\nmode: agent\n---\n# Task\n\nReview {{x}}\n';
    const result = read('a.prompt.md', document, { variables: { x: 'all' } });
    expect(result.text).toBe('# Task\n\nReview all\n');
    expect(documentOffset(result.pieces, 0)).toBe(document.indexOf('#'));
    expect(behind(document, result, 'all')).toBe('{{x}}');
  });

  it('with nothing after it is refused', () => {
    expect(() => read('a.prompt.md', '---\na: b\n---\n')).toThrow(/^a\.prompt\.md, read as prompt-file, has no text/);
  });
});

describe('a Prompty file', () => {
  it('is messages, with the sample of its front matter for variables', () => {
    const document =
      '---\r\nname: x\r\nsample:\r\n  topic: whales\r\n  n: 3\r\n---\r\nsystem:\r\nBe brief.\r\n\r\nUser:\r\nTell {{n}} of {{topic}}.\r\n';
    const result = read('a.prompty', document, { variables: { n: '4' } });
    expect(result.text).toBe('system: Be brief.\n\nuser: Tell 4 of whales.');
    expect(result.parts.map(({ role, text: { from, to } }) => [role, result.text.slice(from, to)])).toEqual([
      ['system', 'system: Be brief.'],
      ['user', '\n\nuser: Tell 4 of whales.'],
    ]);
    expect(behind(document, result, 'whales')).toBe('{{topic}}');
    expect(result.format).toBe('prompty');
  });

  it.each([
    [
      'a map',
      'inputs:\n  a:\n    type: string\n    description: who\n    sample: no\n    default: Jane\n  b: {kind: number, sample: 3}\n  c: true',
    ],
    [
      'a list',
      'inputs:\n  - {name: a, kind: string, default: Jane, sample: no}\n  - {name: b, sample: 3}\n  - {name: c, default: null, example: true}',
    ],
    [
      'a schema',
      'inputSchema:\n  properties:\n    - {name: a, default: Jane}\n    - {name: b, default: 3}\n    - {name: c, default: true}',
    ],
  ])('fills variables from inputs that are %s', (_what, inputs) => {
    const document = `---\n${inputs}\n---\n{{a}} {{b}} {{c}}`;
    expect(read('a.prompty', document).text).toBe('Jane 3 true');
    // A sample of the file, and what the user says, come before.
    expect(read('a.prompty', document.replace('---\n', '---\nsample: {b: 4}\n'), { variables: { c: 'x' } }).text).toBe('Jane 4 x');
  });

  it('leaves inputs without a simple value as they are, and refuses by name what are no inputs', () => {
    const inputs = (written: string): string => `---\ninputs: ${written}\n---\n{{a}}`;
    expect(read('a.prompty', inputs('[{name: a, kind: array, default: [1]}]')).notes).toEqual([
      'Variables without a value stay as they are: a.',
    ]);
    expect(read('a.prompty', inputs('${file:a.json}')).notes).toContain(
      'The sample of the front matter is no simple YAML: its variables are not filled.',
    );
    const refused = (written: string) => (): unknown => read('a.prompty', inputs(written));
    expect(refused('[{name: a}, {kind: string}]')).toThrow('a.prompty: input 2 of its list has no name; give it one, such as name: topic.');
    expect(refused('[a]')).toThrow('a.prompty: input 1 of its list has no name');
    expect(refused('[{name: a}, {name: a}]')).toThrow('a.prompty: its list has the input "a" twice; give each input once.');
    expect(refused('5')).toThrow('a.prompty: its inputs are 5; give a list of inputs, or a map by their names.');
  });

  it('has roles with attributes, which are fields of the message', async () => {
    const folder = temporaryFolder();
    writeFileSync(
      join(folder, 'chat_template.jinja'),
      '{% for m in messages %}{{ m.role }} {{ m.name }}/{{ m.n }}: {{ m.content }}{% endfor %}',
    );
    const { text } = read('a.prompty', 'user[name="Jane Doe", n=3]:\nHi', {}, await readingModel({ folder, name: 'x' }));
    expect(text).toBe('user Jane Doe/3: Hi');
  });

  it('takes a heading for a role, and long white space in linear time', () => {
    expect(read('a.prompty', ' \t# \tSystem :\na').text).toBe('system: a');
    const spaces = ' '.repeat(500_000);
    const start = performance.now();
    expect(read('a.prompty', `---\na: 1\n---\n${spaces}x\n#${spaces}x`).parts).toEqual([]);
    // Quadratic time is minutes.
    expect(performance.now() - start).toBeLessThan(60_000);
  });

  it('without roles is text, and says where its front matter cannot be read', () => {
    const result = read('a.prompty', '---\nsample: ${file:a.json}\n---\nHello {{x}}');
    expect(result.text).toBe('Hello {{x}}');
    expect(result.notes).toEqual([
      'Variables without a value stay as they are: x.',
      'The sample of the front matter is no simple YAML: its variables are not filled.',
    ]);
    expect(read('a.prompty', '---\na: [\n---\nb').notes).toHaveLength(1);
  });
});

describe('a notebook', () => {
  const notebook = JSON.stringify(
    {
      nbformat: 4,
      metadata: { kernelspec: { language: 'python' } },
      cells: [
        { cell_type: 'markdown', source: ['# T\n', 'of {{x}}'], attachments: { 'a.png': {} } },
        {
          cell_type: 'code',
          source: 'print("```")\n',
          outputs: [
            { output_type: 'stream', text: ['a\n', 'b\n'] },
            { output_type: 'display_data', data: { 'image/png': 'x', 'text/plain': '<Figure>', 'text/html': '<b>' } },
            { output_type: 'error', traceback: ['\u001b[31mE\u001b[0m', 'F'] },
          ],
        },
        { cell_type: 'raw', source: [] },
      ],
    },
    null,
    1,
  );

  it('is its cells with their text outputs, and says what is left out', () => {
    const result = read('a.ipynb', notebook, { variables: { x: 'T' } });
    expect(result.text).toBe('# T\nof T\n\n````python\nprint("```")\n````\n\n```\na\nb\n```\n\n```\n<Figure>\n```\n\n```\nE\nF\n```\n\n');
    expect(result.notes).toEqual(['Left out, because it is no text: 1 × attachment, 1 × image/png.']);
    expect(result.parts.map(({ title }) => title)).toEqual(['cell 1, markdown', 'cell 2, code', 'cell 2, output', 'cell 3, raw']);
    expect(behind(notebook, result, 'print("')).toBe('print(\\"');
    expect(behind(notebook, result, 'of ')).toBe('of ');
  });

  it('that Jupyter wrote has outputs before sources, and its map ascends', () => {
    const word = fc.string({ maxLength: 6 });
    const field = fc.constantFrom('outputs', 'source', 'cell_type', 'metadata');
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.array(word), word, fc.array(field)), { minLength: 1 }), (list) => {
        const cells = list.map(([source, text, order]) => {
          const fields: Record<string, unknown> = { cell_type: 'code', metadata: {}, outputs: [{ output_type: 'stream', text }], source };
          return Object.fromEntries([...order, ...Object.keys(fields)].map((name) => [name, fields[name]]));
        });
        checkAscends(read('a.ipynb', JSON.stringify({ cells }, null, 1)));
      }),
    );
    const sorted = '{"cells":[{"cell_type":"code","outputs":[{"text":"out"}],"source":"alpha"},{"source":"beta"}]}';
    const result = read('a.ipynb', sorted);
    expect(behind(sorted, result, 'alpha')).toBe('alpha');
    expect(behind(sorted, result, 'beta')).toBe('beta');
    expect(documentOffset(result.pieces, result.text.indexOf('out'))).toBe(sorted.indexOf('alpha') + 'alpha'.length);
  });

  it('may have any number of fences in a text', () => {
    const source = '``` '.repeat(200_000);
    expect(read('a.ipynb', JSON.stringify({ cells: [{ cell_type: 'code', source }] })).text).toBe(`\`\`\`\`\n${source}\n\`\`\`\``);
  });

  it('that is none is refused', () => {
    expect(() => read('a.ipynb', '{"cells": 1}')).toThrow(/^a\.ipynb is no notebook/);
    expect(() => read('a.ipynb', '{"cells": []}')).toThrow(/^a\.ipynb has no cells/);
    expect(() => read('a.ipynb', '{\n')).toThrow(/^a\.ipynb is not JSON at line 2/);
  });
});

describe('string literals', () => {
  it.each([
    ['x = "a\\n\\x41\\u00e9\\U0001F600\\101\\q\\\n b"', 'a\nAé😀A\\q b'],
    ["x = r'a\\n' # 'no'", 'a\\n'],
    ['x = """a\r\n"b" \\""" """', 'a\n"b" """ '],
    ['x = ("a" f"{{b}} {y["k"]!r:>{w}}"\n   \'c\')', 'a{b} {y["k"]!r:>{w}}c'],
    ['x = b\'a\' + "longest here"', 'longest here'],
  ])('of Python: %j', (program, text) => {
    expect(read('a.py', program, { as: 'python' }).text).toBe(text);
  });

  it.each([
    ['const a = /"[/"]/, b = 4 / 2; const c = "x\\u{1F600}\\x41\\\'\\0";', "x😀A'\0"],
    ['const a = `x ${b + `in ${c}`}\\u0041 {{d}}`;', 'x ${b + `in ${c}`}A {{d}}'],
    ["// 'a comment that is long'\nconst a: Map<string, 'b'> = f('c\\\nd');", 'cd'],
  ])('of TypeScript: %j', (program, text) => {
    expect(read('a.ts', program, { as: 'typescript' }).text).toBe(text);
  });

  it('are chosen by line, by place, or as the longest, which is said', () => {
    const program = 'a = "one"\nb = """two\nand\n""", "x"\n\nc = f"{"inner"}"\n';
    const as = 'python';
    expect(read('a.py', program, { as })).toMatchObject({
      text: 'two\nand\n',
      notes: ['The longest string literal is read, on line 2.'],
    });
    expect(read('a.py', program, { line: 1 })).toMatchObject({ text: 'one', notes: [] });
    expect(read('a.py', program, { line: 3 }).text).toBe('two\nand\n');
    expect(read('a.py', program, { as, at: program.indexOf('"x"') + 1 }).text).toBe('x');
    expect(read('a.py', program, { as, at: program.indexOf('inner') }).text).toBe('inner');
    expect(() => read('a.py', program, { line: 5 })).toThrow(/^a\.py has no string literal on line 5; name one, such as that on line 1\.$/);
    expect(() => read('a.py', 'a = 1', { as })).toThrow(
      /^a\.py has no string literal; give a file with one, or read it whole with --as text\.$/,
    );
  });

  it('are long ones where only a name says that a text is a program, and else the whole is read', () => {
    const program = 'a = "one"\nb = """two\nand\n"""\n';
    const literals = [{ from: program.indexOf('"""'), to: program.length - 1 }];
    const whole = {
      format: 'text',
      text: program,
      pieces: null,
      notes: [expect.stringMatching(/^This program is read whole\./)],
      literals,
    };
    expect(read('a.py', program)).toMatchObject(whole);
    expect(read('a.py', program, { at: 6 })).toMatchObject(whole);
    expect(read('a.py', program, { at: program.indexOf('and') })).toMatchObject({ format: 'python', text: 'two\nand\n', literals });
    expect(read('a.py', 'a = "one"')).toMatchObject({ text: 'a = "one"', notes: [], literals: [] });
  });

  it.each<[string, () => never]>([
    [
      'runs out of stack',
      () => {
        throw new RangeError('Maximum call stack size exceeded');
      },
    ],
    [
      'does not come to an end',
      () => {
        for (;;);
      },
    ],
  ])('are not found where Lezer %s: the program is read whole, or refused where a literal is wanted', (_, parsing) => {
    const parse = vi.spyOn(parser, 'parse').mockImplementation(parsing);
    try {
      expect(read('a.py', '"a"')).toMatchObject({
        format: 'text',
        text: '"a"',
        notes: ['This program is nested too deeply, or too broken, to find its string literals: it is read whole.'],
      });
      expect(() => read('a.py', '"a"', { line: 1 })).toThrow(
        /^a\.py is nested too deeply, or too broken, to find its string literals; read it whole with --as text\.$/,
      );
    } finally {
      parse.mockRestore();
    }
  });

  it('know their places, through escapes and fields', () => {
    const program = 'a = f"x\\n{y}{{z"';
    const result = read('a.py', program, { as: 'python' });
    expect(result.text).toBe('x\n{y}{z');
    expect(Array.from(result.text, (_, at) => documentOffset(result.pieces, at))).toEqual([6, 7, 9, 10, 11, 12, 14]);
  });

  it('that are not closed are none, and characters by name stay', () => {
    expect(literalsOf('a = "b\nc = "d"\ne = """f', 'python').map(({ from, to }) => [from, to])).toEqual([[11, 14]]);
    expect(literalsOf("const a = <b c='d'>e 'f'</b>;", 'typescript', 'a.tsx')).toEqual([]);
    expect(read('a.py', '"\\N{BULLET} a"', { as: 'python' })).toMatchObject({
      text: '\\N{BULLET} a',
      notes: ['Characters written by name (\\N{…}) stay as they are written.'],
    });
  });
});

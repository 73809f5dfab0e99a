import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatOf } from '../../../src/core/source/format';
import { documentOffset, documentRange, type MappedText, PieceWriter, textOffset } from '../../../src/core/source/pieces';
import { checkVariables, fillVariables, parseVariable, VariableFiller } from '../../../src/core/source/variables';
import { checkAscends } from '../../support/pieces';

describe('the format of a document', () => {
  it.each([
    ['a.md', undefined, 'markdown'],
    ['docs/a.prompt.md', undefined, 'prompt-file'],
    ['docs\\SKILL.md', undefined, 'prompt-file'],
    ['a.prompt.md', 'markdown', 'prompt-file'],
    ['untitled', 'instructions', 'prompt-file'],
    ['a.txt', 'chatagent', 'prompt-file'],
    ['a.prompty', undefined, 'prompty'],
    ['a.jsonl', undefined, 'chat'],
    ['a.ipynb', 'json', 'notebook'],
    ['a.ipynb', undefined, 'notebook'],
    ['a.ipynb', 'python', 'python'],
    ['a.ipynb', 'markdown', 'markdown'],
    ['a.ipynb', 'sql', 'text'],
    ['a.ipynb', 'plaintext', 'text'],
    ['a', 'constructor', 'text'],
    ['a.md', '__proto__', 'markdown'],
    ['a.pyi', undefined, 'python'],
    ['a.mtsx', undefined, 'typescript'],
    ['a.prompt', 'two-heads-prompt', 'text'],
    ['-', undefined, 'text'],
    ['a.md#L3-L4', undefined, 'text'],
  ])('of %s in %s is %s', (path, languageId, format) => {
    expect(formatOf(path, languageId)).toBe(format);
  });
});

/** What may be done with a document from left to right; each takes some of its code units. */
const steps = fc.array(
  fc.record({ kind: fc.constantFrom('copy', 'escape', 'replace', 'insert', 'skip'), units: fc.integer({ min: 1, max: 5 }) }),
  { minLength: 1, maxLength: 30 },
);

/** A text made by steps, and where each of its code units comes from. */
function made(list: readonly { readonly kind: string; readonly units: number }[]): {
  mapped: MappedText;
  origins: number[];
  length: number;
} {
  const writer = new PieceWriter();
  const length = list.reduce((sum, { units }) => sum + units, 0);
  const document = Array.from({ length }, (_, index) => String.fromCharCode(0x100 + index)).join('');
  const origins: number[] = [];
  let at = 0;
  for (const { kind, units } of list) {
    const to = at + units;
    if (kind === 'copy') {
      writer.copy(document, at, to);
      origins.push(...Array.from({ length: units }, (_, index) => at + index));
    } else if (kind === 'escape') {
      writer.escape('\n', at, to);
      origins.push(at);
    } else if (kind === 'replace' || kind === 'insert') {
      writer.replace('value', at, kind === 'insert' ? at : to);
      origins.push(at, at, at, at, at);
    }
    at = kind === 'insert' ? at : to;
  }
  return { mapped: writer.finish(), origins, length };
}

describe('the map of a text', () => {
  it('tells where each code unit comes from, also of a part and of a copy', () => {
    fc.assert(
      fc.property(steps, fc.nat(), fc.nat(), (list, one, other) => {
        const { mapped, origins } = made(list);
        expect(mapped.text.length).toBe(origins.length);
        expect(origins.map((_, index) => documentOffset(mapped.pieces, index))).toEqual(origins);
        const [from, to] = [one % (origins.length + 1), other % (origins.length + 1)].sort((a, b) => a - b);
        const writer = new PieceWriter();
        writer.append(mapped, from, to);
        const part = structuredClone(writer.finish());
        expect(part.text).toBe(mapped.text.slice(from, to));
        expect(origins.slice(from, to).map((_, index) => documentOffset(part.pieces, index))).toEqual(origins.slice(from, to));
      }),
    );
  });

  it('ascends, and leads back', () => {
    fc.assert(
      fc.property(steps, (list) => {
        const { mapped, origins, length } = made(list);
        let last = 0;
        for (let offset = 0; offset <= length; offset += 1) {
          const at = textOffset(mapped.pieces, offset);
          expect(at).toBeGreaterThanOrEqual(last);
          expect(at).toBeLessThanOrEqual(origins.length);
          last = at;
          // A place that is in the text leads to the first code unit that comes from there.
          const first = origins.indexOf(offset);
          if (first >= 0) {
            expect(at).toBe(first);
          }
        }
      }),
    );
  });

  it('ascends also where a text takes its pieces from anywhere in the document', () => {
    const anywhere = fc.array(
      fc.record({
        kind: fc.constantFrom('copy', 'escape', 'replace', 'append'),
        from: fc.integer({ min: 0, max: 50 }),
        units: fc.integer({ min: 0, max: 9 }),
      }),
      { minLength: 1, maxLength: 30 },
    );
    fc.assert(
      fc.property(anywhere, (list) => {
        const document = Array.from({ length: 60 }, (_, index) => String.fromCharCode(0x100 + index)).join('');
        const writer = new PieceWriter();
        list.forEach(({ kind, from, units }) => {
          if (kind === 'copy') {
            writer.copy(document, from, from + units);
          } else if (kind === 'escape') {
            writer.escape('\n', from, from + 1);
          } else if (kind === 'replace') {
            writer.replace('value', from, from + units);
          } else {
            const part = new PieceWriter();
            part.copy(document, from, from + units);
            writer.append(part.finish());
          }
        });
        checkAscends(writer.finish());
      }),
    );
  });

  it('gives ranges that hold escapes and values whole', () => {
    const document = 'ab\\ncd{{x}}e';
    const writer = new PieceWriter();
    writer.copy(document, 0, 2);
    writer.escape('\n', 2, 4);
    writer.copy(document, 4, 6);
    writer.replace('value', 6, 11);
    writer.copy(document, 11, 12);
    const { pieces } = writer.finish();
    expect(documentRange(pieces, 0, 3)).toEqual({ from: 0, to: 4 });
    expect(documentRange(pieces, 1, 2)).toEqual({ from: 1, to: 2 });
    expect(documentRange(pieces, 4, 7)).toEqual({ from: 5, to: 11 });
    expect(documentRange(pieces, 3, 3)).toEqual({ from: 4, to: 4 });
    expect(documentRange(null, 2, 5)).toEqual({ from: 2, to: 5 });
  });
});

describe('variables', () => {
  const plain = (text: string): MappedText => ({ text, pieces: null });

  it('are filled once, where they stand; the others stay', () => {
    const { text, pieces, filled, unfilled } = fillVariables(plain('{{ a }}-{{b}}-{{a}}-{{c d}}-{{}}'), { a: '{{b}}', z: '1' });
    expect({ text, filled, unfilled }).toEqual({ text: '{{b}}-{{b}}-{{b}}-{{c d}}-{{}}', filled: ['a'], unfilled: ['b'] });
    expect(documentRange(pieces, 1, 3)).toEqual({ from: 0, to: 7 });
    expect(documentOffset(pieces, 5)).toBe(7);
  });

  it('are not those of every object', () => {
    expect(fillVariables(plain('{{constructor}} {{toString}}'), {}).unfilled).toEqual(['constructor', 'toString']);
  });

  it('make no text over the limit of a prompt, nor texts of one document together', () => {
    const value = 'x'.repeat(2 ** 20);
    const tooLarge =
      /^With its variables filled in, the prompt has more than 67,108,864 characters, which is the limit; give shorter values\.$/;
    expect(() => fillVariables(plain('{{a}}'.repeat(10_000_000 / 5)), { a: value })).toThrow(tooLarge);
    expect(fillVariables(plain('{{a}}'.repeat(64)), { a: value }).text).toHaveLength(2 ** 26);
    const filler = new VariableFiller({ a: '12345' }, 12);
    expect(filler.fill(plain('{{a}}')).text).toBe('12345');
    expect(filler.fill(plain('a text without')).text).toBe('a text without');
    expect(filler.fill(plain('{{a}}{{'))).toMatchObject({ text: '12345{{' });
    expect(() => filler.fill(plain('{{a}}'))).toThrow(/more than 12 characters/);
    expect(filler.filled).toEqual(['a']);
  });

  it('take values with any character', () => {
    expect(parseVariable('topic=a=b c', '--var')).toEqual(['topic', 'a=b c']);
    expect(() => parseVariable('topic', '--var')).toThrow(/^--var "topic" is no name=value; give one such as --var topic=whales\.$/);
    expect(() => parseVariable('a b=c', '--var')).toThrow(/is no name=value/);
  });

  it('that no prompt has are refused by name', () => {
    expect(() => checkVariables({ a: '1', b: '2' }, [{ filled: ['a'] }])).toThrow(
      /The variable "b" was given a value, and no prompt has \{\{b\}\}/,
    );
    checkVariables({ a: '1', b: '2' }, [{ filled: ['a'] }, { filled: ['b'] }]);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { documentRange } from '../../../../src/core/source/pieces';
import { parseJsonPlaces, stringOf, valueOf } from '../../../../src/engine/read/source/json-places';

describe('JSON with places', () => {
  it('has the values of JSON.parse, and each string unescaped where it stands', () => {
    fc.assert(
      fc.property(fc.json({ stringUnit: 'binary' }), fc.constantFrom(undefined, 1, '\t'), (json, indent) => {
        const document = JSON.stringify(JSON.parse(json), null, indent);
        const waiting = [parseJsonPlaces('a', document)];
        expect(valueOf(document, waiting[0])).toEqual(JSON.parse(document));
        for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
          if (node.kind === 'object') {
            waiting.push(...node.fields.values());
          } else if (node.kind === 'array') {
            waiting.push(...node.items);
          } else if (node.kind === 'string') {
            const { text, pieces } = stringOf(document, node);
            expect(text).toBe(valueOf(document, node));
            // Each code unit, unescaped from where it stands, is itself.
            for (let at = 0; at < text.length; at += 1) {
              const { from, to } = documentRange(pieces, at, at + 1);
              expect(JSON.parse(`"${document.slice(from, to)}"`)).toBe(text[at]);
            }
          }
        }
      }),
    );
  });

  it.each([
    '{',
    '[1,]',
    '{"a":1,}',
    '[1 2]',
    '{"a" 1}',
    '01',
    '1.',
    '+1',
    'tru',
    '"\t"',
    '"\\x"',
    '"\\u12"',
    '"a',
    '[] []',
    '',
    '// a\n1',
    '{a:1}',
    'NaN',
    '[1}',
  ])('refuses %j as JSON.parse does', (text) => {
    expect(() => JSON.parse(text) as unknown).toThrow();
    expect(() => parseJsonPlaces('a.json', text)).toThrow(/^a\.json is not JSON at line 1; /);
  });

  it('names the line, nests without end, and keeps the last of equal keys', () => {
    expect(() => parseJsonPlaces('a.json', '{\r\n"a": 1,\r\n"b" 2}')).toThrow(/at line 3;/);
    const deep = '['.repeat(200_000) + ']'.repeat(200_000);
    expect(parseJsonPlaces('a', deep)).toMatchObject({ from: 0, to: 400_000 });
    expect(parseJsonPlaces('a', '{"a":1,"a":22}')).toMatchObject({
      kind: 'object',
      fields: new Map([['a', { kind: 'other', from: 11, to: 13 }]]),
    });
  });
});

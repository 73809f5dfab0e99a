import fc from 'fast-check';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { writePictures } from '../../../src/cli/ledger';
import { causalTiles, sampleBudget, tileBudget } from '../../../src/core/chosen/rule';
import { noToken, type Pattern, rowSees } from '../../../src/core/construct/arrangement';
import type { BlackBoxConstruction } from '../../../src/core/construct/construction';
import { chosenPicture } from '../../../src/core/draw/chosen';
import { constructionPicture } from '../../../src/core/draw/construction';
import { pictures } from '../../../src/core/draw/pictures';
import { partition } from '../../../src/core/plan/partition';
import { arrangementOf, maskOf } from '../../../src/core/scenario/scenario';
import { type BlackBoxSetting, blackBoxSettings } from '../../support/arbitrary';
import { root } from '../../support/paths';

const folder = join(root, 'docs', 'pictures');
const drawn = fc
  .constantFrom<BlackBoxConstruction>('tight', 'paper')
  .chain((construction) =>
    fc.record({ setting: blackBoxSettings[construction].filter(({ tokens }) => tokens <= 30), construction: fc.constant(construction) }),
  );

function draw({ tokens, blockSize, scenario, causal }: BlackBoxSetting, construction: BlackBoxConstruction): string {
  const request = { tokens, inputLength: blockSize, scenario, construction, causal };
  return constructionPicture({ ...request, name: 'test', title: 'A <test> & more', calls: [{ call: 1, note: 'The first.' }] });
}

function patternsOf({ tokens, blockSize, scenario, causal }: BlackBoxSetting, construction: BlackBoxConstruction): Pattern[] {
  const arrangement = arrangementOf(scenario, construction, { tokens, inputLength: blockSize, causal });
  const { blocks } = partition(tokens, arrangement.blockSize);
  return Array.from({ length: blocks }, (_, block) => [...arrangement.patternsOf(block)]).flat();
}

/** An element of a document that is well formed. */
interface Node {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: Node[];
}

/** Parses the part of XML that the pictures use, and refuses everything else. */
function parse(document: string): Node {
  const top: Node = { name: '', attributes: {}, children: [] };
  const open = [top];
  const ids = new Set<string>();
  const token = /<(\w+)((?: [\w:-]+="(?:[^"<&]|&(?:amp|lt|gt|quot);)*")*)(\/?)>|<\/(\w+)>|((?:[^<&]|&(?:amp|lt|gt|quot);)+)/gy;
  while (token.lastIndex < document.length) {
    const at = token.lastIndex;
    const match = token.exec(document);
    if (match === null) {
      throw new Error(`Not well formed at ${at}: ${document.slice(at, at + 60)}`);
    }
    const [, name, attributeText, selfClosing, closed] = match as (string | undefined)[];
    const last = open[open.length - 1];
    if (name !== undefined) {
      const pairs = [...(attributeText ?? '').matchAll(/ ([\w:-]+)="([^"]*)"/g)].map(([, key, value]): [string, string] => [key, value]);
      const attributes = Object.fromEntries(pairs);
      expect(Object.keys(attributes).length, `attributes of ${name}`).toBe(pairs.length);
      if ('id' in attributes) {
        expect(ids.has(attributes['id']), `id ${attributes['id']} twice`).toBe(false);
        ids.add(attributes['id']);
      }
      const node: Node = { name, attributes, children: [] };
      last.children.push(node);
      if (selfClosing === '') {
        open.push(node);
      }
    } else if (closed !== undefined) {
      expect(closed).toBe(last.name);
      open.pop();
    }
  }
  expect(open.map(({ name }) => name)).toEqual(['']);
  expect(top.children.map(({ name }) => name)).toEqual(['svg']);
  return top.children[0];
}

function* descendants(node: Node): Generator<Node> {
  for (const child of node.children) {
    yield child;
    yield* descendants(child);
  }
}

const ofClass = (node: Node, name: string): Node[] => [...descendants(node)].filter(({ attributes }) => attributes['class'] === name);

interface Cell {
  readonly query: number;
  readonly key: number;
  readonly call: number;
  readonly fill: string;
}

/** The cells of all rectangles in a layer of a grid: every rectangle is in units of a cell. */
function cellsOf(grid: Node, layer: string): Cell[] {
  const columns = grid.attributes['data-columns'].split(' ').map(Number);
  return ofClass(grid, layer).flatMap(({ children }) =>
    children.flatMap(({ attributes: { 'data-call': call, fill }, children: rectangles }) =>
      rectangles.flatMap(({ attributes }) => {
        const [x, y, width, height] = ['x', 'y', 'width', 'height'].map((name) => Number(attributes[name]));
        return Array.from({ length: width * height }, (_, index) => ({
          query: y + Math.floor(index / width),
          key: columns[x + (index % width)],
          call: Number(call),
          fill,
        }));
      }),
    ),
  );
}

describe('docs/pictures', () => {
  it('holds what the code draws', () => {
    const redraw =
      'docs/pictures is not what src/core/draw draws: redraw it with `node dist/cli.js ledger --pictures docs/pictures`, and look at it';
    expect(readdirSync(folder).sort(), redraw).toEqual(pictures.map(({ name }) => `${name}.svg`).sort());
    for (const { name, svg } of pictures) {
      expect(readFileSync(join(folder, `${name}.svg`), 'utf8') === svg(), `${redraw} (${name}.svg)`).toBe(true);
    }
  });

  it('is written whole by the command line, into a folder that it makes', async () => {
    const target = join(await mkdtemp(join(tmpdir(), 'pictures-')), 'new');
    const paths = await writePictures(target);
    expect((await readdir(target)).sort()).toEqual(pictures.map(({ name }) => `${name}.svg`).sort());
    expect(paths.map((path) => path.slice(target.length + 1))).toEqual(pictures.map(({ name }) => `${name}.svg`));
    expect(await readFile(paths[0], 'utf8')).toBe(pictures[0].svg());
    await expect(writePictures(paths[0])).rejects.toThrow(`--pictures ${paths[0]} cannot be made`);
  });

  it.each(pictures.map((picture) => [picture.name, picture] as const))(
    '%s is small, well formed, named and described, and runs nothing',
    (name, { title, svg }) => {
      const document = svg();
      expect(document.length).toBeLessThan(60_000);
      const picture = parse(document);
      const [first, second] = picture.children;
      expect([first.name, second.name]).toEqual(['title', 'desc']);
      expect(picture.attributes['aria-labelledby']).toBe(`${first.attributes['id']} ${second.attributes['id']}`);
      expect(document).toContain(`<title id="${name}-title">${title}</title>`);
      expect([...descendants(picture)].map((node) => node.name)).not.toContain('script');
      expect(document).not.toMatch(/NaN|undefined|Infinity/);
    },
  );

  it('is shown and mentioned in docs/constructions.md, every picture once', () => {
    const text = readFileSync(join(root, 'docs', 'constructions.md'), 'utf8');
    const shown = [...text.matchAll(/!\[[^\]]+\]\(pictures\/([\w-]+)\.svg\)/g)].map(([, name]) => name);
    expect(shown.sort()).toEqual(pictures.map(({ name }) => name).sort());
  });
});

describe('the picture of tiles chosen by content', () => {
  it('has the tiles of the budget, each once, and the legend', () => {
    const blocks = 9;
    const rule = { share: 50, sample: 30, queries: 4, seed: 3 };
    const heads = [0.1, 0.5, 2].map((decay) => ({ label: `falls by ${decay}`, decay }));
    const picture = parse(chosenPicture({ name: 'test', title: 'Test', blocks, rule, heads }));
    const count = (kind: string): number => ofClass(picture, kind).length - 1;
    const [read, sampled] = [heads.length * tileBudget(rule, blocks), heads.length * sampleBudget(rule, blocks)];
    expect(count('own')).toBe(heads.length * blocks);
    expect(sampled).toBeGreaterThan(0);
    expect(count('sampled')).toBe(sampled);
    expect(count('chosen')).toBe(read - sampled - heads.length * blocks);
    expect(count('left')).toBe(heads.length * causalTiles(blocks) - read);
  });
});

describe('a picture of a construction', () => {
  it('draws every visible pair once, in a call that reads it, and nothing else', () => {
    fc.assert(
      fc.property(drawn, ({ setting, construction }) => {
        const { tokens, scenario } = setting;
        const patterns = patternsOf(setting, construction);
        const { allows } = maskOf(scenario, tokens);
        for (const grid of ofClass(parse(draw(setting, construction)), 'grid')) {
          const times = new Int32Array(tokens * tokens);
          for (const { query, key, call } of cellsOf(grid, 'pairs')) {
            times[query * tokens + key] += 1;
            expect(reads(patterns[call - 1], query, key), `call ${call}, query ${query}, key ${key}`).toBe(true);
          }
          // Theorem 4.1 leaves visible pairs unread; each is drawn as that.
          for (const { attributes } of ofClass(grid, 'unread').flatMap(({ children }) => children)) {
            const columns = grid.attributes['data-columns'].split(' ').map(Number);
            for (let y = Number(attributes['y']); y < Number(attributes['y']) + Number(attributes['height']); y += 1) {
              for (let x = Number(attributes['x']); x < Number(attributes['x']) + Number(attributes['width']); x += 1) {
                expect(scenario.kind).toBe('average-case');
                times[y * tokens + columns[x]] += 1;
              }
            }
          }
          times.forEach((count, pair) => expect(count, `pair ${pair}`).toBe(allows(Math.floor(pair / tokens), pair % tokens) ? 1 : 0));
        }
      }),
      { numRuns: 150 },
    );
  });

  it('hatches exactly what is taken away', () => {
    fc.assert(
      fc.property(drawn, ({ setting, construction }) => {
        const { tokens, scenario } = setting;
        const patterns = patternsOf(setting, construction);
        const { allows } = maskOf(scenario, tokens);
        const grids = ofClass(parse(draw(setting, construction)), 'grid');
        const taken = new Set(cellsOf(grids[0], 'taken').map(({ query, key }) => query * tokens + key));
        const cancelled = new Set(cellsOf(grids[0], 'cancelled').map(({ query, key }) => query * tokens + key));
        for (let query = 0; query < tokens; query += 1) {
          for (let key = 0; key < tokens; key += 1) {
            const subtracted = patterns.some((pattern) => pattern.sign === -1 && reads(pattern, query, key));
            expect(taken.has(query * tokens + key)).toBe(subtracted);
            expect(cancelled.has(query * tokens + key)).toBe(subtracted && !allows(query, key));
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  it('gives neighbouring calls different colours', () => {
    fc.assert(
      fc.property(drawn, ({ setting, construction }) => {
        const { tokens } = setting;
        const [grid] = ofClass(parse(draw(setting, construction)), 'grid');
        const cells = new Map(
          [...cellsOf(grid, 'cancelled'), ...cellsOf(grid, 'pairs')].map((cell) => [cell.query * tokens + cell.key, cell]),
        );
        for (const [pair, cell] of cells) {
          const beside = [cell.key + 1 < tokens ? cells.get(pair + 1) : undefined, cells.get(pair + tokens)];
          for (const neighbour of beside) {
            expect(neighbour !== undefined && neighbour.call !== cell.call && neighbour.fill === cell.fill).toBe(false);
          }
        }
      }),
      { numRuns: 150 },
    );
  });
});

/** Whether a pattern has a row with the query that sees a row with the key; a call may hold both more than once. */
function reads(pattern: Pattern, query: number, key: number): boolean {
  return pattern.queries.some(
    (own, row) =>
      own === query && query !== noToken && pattern.keys.some((other, keyRow) => other === key && rowSees(pattern, row, keyRow)),
  );
}

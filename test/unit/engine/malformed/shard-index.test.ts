import { cpSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { LoadedModel } from '../../../../src/engine/read/model/load';
import { copyOf, expectSound, goldenModel, load } from './golden-copy';
import { deepJson, nastyStrings, outcomeOf, refusalOf } from './outcome';

const indexName = 'model.safetensors.index.json';
const first = 'model-00001-of-00004.safetensors';
const second = 'model-00002-of-00004.safetensors';

interface Index {
  weight_map: Record<string, unknown>;
}

/** A copy of the sharded model; every spelling of a path finds something to read outside it. */
function sharded(): string {
  const folder = copyOf('llama-sharded');
  for (const place of [dirname(folder), join(dirname(folder), 'other')]) {
    mkdirSync(place, { recursive: true });
    cpSync(join(folder, first), join(place, first));
  }
  return folder;
}

function editIndex(folder: string, edit: (index: Index) => unknown): void {
  const path = join(folder, indexName);
  const index = JSON.parse(readFileSync(path, 'utf8')) as Index;
  edit(index);
  writeFileSync(path, JSON.stringify(index));
}

/** Puts every tensor of the first shard somewhere else. */
function moveFirst(folder: string, place: string): void {
  editIndex(folder, ({ weight_map: map }) =>
    Object.keys(map).forEach((tensor) => (map[tensor] = map[tensor] === first ? place : map[tensor])),
  );
}

let original: LoadedModel;
beforeAll(async () => {
  original = await goldenModel('llama-sharded');
});

describe('an index that names what is not in the folder', () => {
  it.each([
    `../${first}`,
    `./${first}`,
    `../other/${first}`,
    `x/../../${first}`,
    `..\\${first}`,
    `.\\${first}`,
    `C:\\${first}`,
    `C:/${first}`,
    `\\\\server\\share\\${first}`,
    `//server/share/${first}`,
    `%2e%2e%2f${first}`,
    `..%2f${first}`,
    `..%5c${first}`,
    `file:///${first}`,
    `\u2025/${first}`,
    `${first}\u0000`,
    `../${first}\u0000.safetensors`,
    `${first}/`,
    `${first}/.`,
    '..',
    '.',
    '',
    '/',
    '/dev/zero',
    '~',
    `~/${first}`,
    `\n${first}`,
    `\u202e${first}`,
    'config.json',
    '__proto__',
    '.safetensors',
  ])('is refused: %j', async (place) => {
    const folder = sharded();
    moveFirst(folder, place);
    expect(await refusalOf(() => load(folder))).toMatch(/is not a safetensors file in the model's folder|\.safetensors cannot be read/);
  });

  it.each([101, 300, 1_000_000])('is refused where a name has %s characters', async (length) => {
    const folder = sharded();
    moveFirst(folder, 'x'.repeat(length - 12).concat('.safetensors'));
    expect(await refusalOf(() => load(folder))).toMatch(/^"xxx.*…" is not a safetensors file in the model's folder/);
  });

  it('is refused where the path is absolute', async () => {
    const folder = sharded();
    moveFirst(folder, join(dirname(folder), first));
    expect(await refusalOf(() => load(folder))).toMatch(/is not a safetensors file in the model's folder/);
  });
});

describe('a broken index', () => {
  it.each<[string, (folder: string) => unknown, RegExp]>([
    [
      'a shard that lacks a weight',
      (f) => editIndex(f, ({ weight_map: map }) => (map['model.norm.weight'] = map['model.norm.weight'] === first ? second : first)),
      /lacks model\.norm\.weight, which .*index\.json says/,
    ],
    [
      'a tensor that no shard has',
      (f) => editIndex(f, ({ weight_map: map }) => (map['a\n\u001b[31m'] = first)),
      /lacks a\\u\{a\}\\u\{1b\}\[31m, which/,
    ],
    [
      'a shard that is a folder',
      (f) => {
        rmSync(join(f, first));
        mkdirSync(join(f, first));
      },
      /00001-of-00004\.safetensors is not a file/,
    ],
    ['a shard that is missing', (f) => rmSync(join(f, first)), /00001-of-00004\.safetensors cannot be read \(ENOENT/],
    ['an empty shard', (f) => truncateSync(join(f, first), 0), /has 0 bytes/],
    ['a list', (f) => writeFileSync(join(f, indexName), '[]'), /has no weight_map/],
    ['null', (f) => writeFileSync(join(f, indexName), 'null'), /has no weight_map/],
    ['a map that is a list', (f) => writeFileSync(join(f, indexName), '{"weight_map":[]}'), /has no weight_map/],
    [
      'places that are no text',
      (f) => editIndex(f, ({ weight_map: map }) => (map['model.norm.weight'] = { file: first })),
      /has no weight_map/,
    ],
    ['no tensor', (f) => writeFileSync(join(f, indexName), '{"weight_map":{}}'), /names no tensor/],
    [
      'a map of what objects inherit',
      (f) => writeFileSync(join(f, indexName), '{"__proto__":{"weight_map":{"a":"x.safetensors"}}}'),
      /has no weight_map/,
    ],
    ['deep nesting', (f) => writeFileSync(join(f, indexName), deepJson(100_000)), /more than 200 deep within one another/],
    ['text that steers a terminal', (f) => writeFileSync(join(f, indexName), '\u001b[2J\n\u202e'), /is not JSON/],
    ['nothing', (f) => writeFileSync(join(f, indexName), ''), /is not JSON/],
    [
      'a folder',
      (f) => {
        rmSync(join(f, indexName));
        mkdirSync(join(f, indexName));
      },
      /index\.json is not a file/,
    ],
    ['more than any index has', (f) => truncateSync(join(f, indexName), 100_000_000), /has 95\.4 MiB; the limit is 16\.0 MiB/],
    [
      'too many files',
      (f) =>
        writeFileSync(
          join(f, indexName),
          JSON.stringify({
            weight_map: Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`t${index}`, `${index}.safetensors`])),
          }),
        ),
      /names more than 4096 files/,
    ],
  ])('is refused: %s', async (_what, spoil, message) => {
    const folder = sharded();
    spoil(folder);
    expect(await refusalOf(() => load(folder))).toMatch(message);
  });

  it('may list a tensor that two shards have: the index says which', async () => {
    const folder = sharded();
    cpSync(join(folder, first), join(folder, 'copy.safetensors'));
    editIndex(folder, ({ weight_map: map }) => (map[Object.keys(map).find((tensor) => map[tensor] === first) ?? ''] = 'copy.safetensors'));
    expectSound(await load(folder), original);
  });

  it('never outweighs a single file beside it', async () => {
    const folder = sharded();
    renameSync(join(folder, first), join(folder, 'model.safetensors'));
    expect(await refusalOf(() => load(folder))).toMatch(/The checkpoint lacks/);
  });
});

it('an index with any places is refused, or gives the model', async () => {
  const folder = sharded();
  const inside = readdirSync(folder);
  const tensors = Object.keys((JSON.parse(readFileSync(join(folder, indexName), 'utf8')) as Index).weight_map);
  const place = fc.oneof(
    fc.constantFrom(...inside, ...nastyStrings),
    fc.string({ unit: 'binary' }),
    fc.constantFrom(...nastyStrings).map((part) => `${part}/${first}`),
    fc.jsonValue(),
  );
  const intact = readFileSync(join(folder, indexName));
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.oneof(fc.constantFrom(...tensors, ...nastyStrings), fc.string()), place), { maxLength: 3 }),
      async (edits) => {
        writeFileSync(join(folder, indexName), intact);
        editIndex(folder, ({ weight_map: map }) =>
          edits.forEach(([tensor, to]) =>
            Object.defineProperty(map, tensor, { value: to, enumerable: true, configurable: true, writable: true }),
          ),
        );
        const { value } = await outcomeOf(() => load(folder));
        if (value !== undefined) {
          expectSound(value, original);
        }
      },
    ),
    { numRuns: 200, seed: 20_250_101 },
  );
});

import { makeScenario } from '../scenario/scenario';
import { chosenPicture } from './chosen';
import { conversePicture } from './converse';
import { packingPicture } from './packing';
import { constructionPicture, type ConstructionPictureRequest } from './construction';

/** A picture of the documentation. */
interface Picture {
  /** File name without its ending. */
  readonly name: string;
  readonly title: string;
  /** Draws it: an SVG document, deterministic. */
  readonly svg: () => string;
}

const window = { tokens: 22, inputLength: 13, causal: true } as const;

const drawn: readonly ConstructionPictureRequest[] = [
  {
    name: 'full-tiles',
    title: 'Full attention: every query block against every key block (theorem 3.4)',
    scenario: makeScenario('full'),
    construction: 'tight',
    tokens: 14,
    inputLength: 5,
    causal: false,
    calls: [
      { call: 2, note: 'Queries of block 0, keys of block 1. A row carries a query and a key side by side.' },
      { call: 16, note: 'The last block has two tokens; the rest is padding.' },
    ],
  },
  {
    name: 'causal-tiles',
    title: 'Causal attention: open tiles and a causal diagonal (theorem 3.4)',
    scenario: makeScenario('causal'),
    construction: 'tight',
    tokens: 17,
    inputLength: 6,
    causal: false,
    calls: [
      { call: 2, note: 'Below the diagonal: queries of block 1, keys of block 0. All of them are visible.' },
      { call: 3, note: 'On the diagonal: block 1 against itself, with the causal mask.' },
    ],
  },
  {
    name: 'causal-triangles',
    title: 'Causal attention from an oracle that always masks causally (theorem 3.5)',
    scenario: makeScenario('causal'),
    construction: 'tight',
    tokens: 17,
    inputLength: 6,
    causal: true,
    calls: [
      { call: 2, note: 'Lower triangle of tile (1, 0): query p of its block sees keys 0 to p of the key block.' },
      {
        call: 3,
        note: 'Upper triangle: keys in reverse order, queries in reverse order and one row up, so that query p sees the keys after p.',
      },
    ],
  },
  {
    name: 'window-tight',
    title: 'Sliding window by bands (theorem 5.1, tight)',
    scenario: makeScenario('sliding-window', { window: 4 }),
    construction: 'tight',
    ...window,
    tokens: 29,
    calls: [
      { call: 1, note: 'Segment 0 with its own keys. A staircase of columns hides those that the window has left behind.' },
      {
        call: 3,
        note: 'The pasts of segments 1 and 2, three rows each: keys before the segment, the nearest first, and the queries that see them. Below them segment 2, which is short, with its own keys.',
      },
    ],
  },
  {
    name: 'window-paper',
    title: 'Sliding window as the difference of two causal sums (theorem 5.1, paper)',
    scenario: makeScenario('sliding-window', { window: 4 }),
    construction: 'paper',
    ...window,
    calls: [
      { call: 3, note: 'Added: queries 9 to 17 with the M - 1 = 12 keys that end at query 17, up to themselves.' },
      { call: 4, note: 'Taken away: the same keys, each query r = 4 rows higher: its sum ends before its window.' },
    ],
  },
  {
    name: 'sinks-tight',
    title: 'Attention sinks by bands (theorem 5.1, tight)',
    scenario: makeScenario('attention-sink', { window: 4, sinks: 2 }),
    construction: 'tight',
    ...window,
    tokens: 26,
    calls: [
      { call: 2, note: 'Segment 1 with its own keys. The sinks ride along above it, for all its queries to see.' },
      { call: 3, note: 'Two pasts, whose queries have their sinks already; below them the sinks, and segment 2 with its own keys.' },
    ],
  },
  {
    name: 'sinks-paper',
    title: 'Attention sinks as differences (theorem 5.1, paper)',
    scenario: makeScenario('attention-sink', { window: 4, sinks: 2 }),
    construction: 'paper',
    ...window,
    calls: [
      { call: 3, note: 'Added: every query of the chunk with all sinks.' },
      { call: 4, note: 'Taken away: the sinks that a query has in its window already, or does not see yet. Keys in reverse order.' },
    ],
  },
  {
    name: 'any-mask',
    title: 'Any mask: tiles through an oracle that takes no mask',
    scenario: makeScenario('custom', { expression: 'k <= q and (q - k < 5 or k % 4 == 0)' }),
    construction: 'tight',
    tokens: 17,
    inputLength: 7,
    causal: false,
    calls: [
      { call: 1, note: 'Block 0 against itself: later keys are hidden by a staircase, one column for each of its steps.' },
      { call: 4, note: 'Queries of block 2, keys of block 0: all keys but 0 and 4 are hidden, by a single column.' },
    ],
  },
  {
    name: 'local-bands',
    title: 'A window on both sides by bands',
    scenario: makeScenario('local-window', { window: 6 }),
    construction: 'tight',
    tokens: 26,
    inputLength: 10,
    causal: false,
    calls: [
      { call: 1, note: 'Segment 0 with its own keys: those out of reach on either side are hidden by columns.' },
      { call: 3, note: 'Three triangles at the borders of segments: keys in the order of their distance from the border.' },
    ],
  },
  {
    name: 'average-case',
    title: 'Average case: each query block with one random block of keys (theorem 4.1)',
    scenario: makeScenario('average-case', { seed: 1 }),
    construction: 'tight',
    tokens: 14,
    inputLength: 5,
    causal: false,
    calls: [{ call: 1, note: 'Queries of block 0 with the first four keys of the permutation.' }],
  },
];

const packing = {
  name: 'packing',
  title: "H'L' instances in one call, as column slices (lemma 3.3)",
  headWidth: 4,
  separation: 4,
  heads: 2,
  layers: 2,
};
const converse = {
  name: 'converse',
  title: 'The converse: short sequences in one long call without a mask (theorem 4.2)',
  lengths: [5, 3, 6, 4],
};

const chosen = {
  name: 'chosen-tiles',
  title: 'Tiles chosen by content: two heads that share a budget (adaptive)',
  blocks: 12,
  rule: { share: 40, sample: 25, queries: 16, seed: 1 },
  heads: [
    { label: 'a head that looks near', decay: 0.9 },
    { label: 'a head that looks far', decay: 0.05 },
  ],
};

/** Every picture of docs/constructions.md. */
export const pictures: readonly Picture[] = [
  ...drawn.map((request) => ({ name: request.name, title: request.title, svg: () => constructionPicture(request) })),
  { ...chosen, svg: () => chosenPicture(chosen) },
  { ...packing, svg: () => packingPicture(packing) },
  { ...converse, svg: () => conversePicture(converse) },
].map(({ name, title, svg }) => ({ name, title, svg }));

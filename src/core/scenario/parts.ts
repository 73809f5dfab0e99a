/** What mask expressions count of a prompt: `doc` documents by a separator, `msg` messages or cells, `sec` Markdown sections. */
export const partNames = ['doc', 'msg', 'sec'] as const;
export type PartName = (typeof partNames)[number];

/**
 * Where the parts of a prompt begin, by what they are: 0 and later token positions, ascending. Plain data, a part of the scenario that
 * counts them: a plan needs no more of the prompt. What follows the prompt belongs to its last part.
 */
export type PartStarts = { readonly [Name in PartName]?: readonly number[] };

/** Where parts begin of which nothing is known: all is one part. */
export const onePart: readonly number[] = [0];

/**
 * The starts of a window of a text: of the parts that its tokens `[from, to)` meet, counted from 0.
 *
 * @param before special tokens that the window has before those of the text
 */
export function startsInWindow(starts: PartStarts, from: number, to: number, before: number): PartStarts {
  const own = (all: readonly number[]): readonly number[] => [
    0,
    ...all.filter((start) => start > from && start < to).map((start) => before + start - from),
  ];
  return Object.fromEntries(Object.entries(starts).map(([name, all]) => [name, own(all)]));
}

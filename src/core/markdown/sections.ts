import type { Heading } from '../text/headings';
import type { Outline } from './outline';

/** A heading with all that stands under it. */
export interface Section extends Heading {
  /** Where the next heading of the same or a higher level begins, or the end of the text, in UTF-16 code units. */
  readonly end: number;
}

/** The sections of a Markdown text, in order; each holds those of the lower levels under it. */
export function sectionsOf({ text, headings }: Outline): Section[] {
  // Where the next heading of each level begins, read from the end; level 0 is the text itself.
  const next = Array.from({ length: 7 }, () => text.length);
  return headings
    .toReversed()
    .map((heading): Section => {
      const end = Math.min(...next.slice(0, heading.level + 1));
      next[heading.level] = heading.from;
      return { ...heading, end };
    })
    .toReversed();
}

import { commonPrefix, commonSuffix } from '../text/common';
import { HeadingReader, type Heading } from '../text/headings';

/** The headings of a Markdown text in order, and where it can be read anew from. */
export interface Outline {
  readonly text: string;
  readonly headings: readonly Heading[];
  /** Where the text begins behind its front matter. */
  readonly bodyStart: number;
  /** Line starts, ascending, before which every block is closed: what follows is read as if it were the beginning. */
  readonly restarts: readonly number[];
}

const frontMatter = /^---[ \t]*\r?\n(?:[^]*?\n)??(?:---|\.\.\.)[ \t]*(?:\r?\n|$)/;
const nothing: Outline = { text: '', headings: [], bodyStart: 0, restarts: [] };
/** Least distance of restarts, in code units: many are quick to resume from, few are quick to keep. */
const restartDistance = 1024;

/**
 * The outline of a Markdown text: ATX and setext headings, YAML front matter skipped.
 *
 * @param before the outline of the version before, so that an edit costs the lines around it and not the text
 */
export function outlineOf(text: string, before = nothing): Outline {
  const prefix = commonPrefix(before.text, text);
  const unchangedFrom = text.length - commonSuffix(before.text, text, Math.min(before.text.length, text.length) - prefix);
  const grown = text.length - before.text.length;
  const bodyStart = frontMatter.exec(text)?.[0].length ?? 0;
  // What was read up to a restart before the first change is read alike now.
  const restarts = bodyStart === before.bodyStart ? before.restarts.filter((restart) => restart <= prefix) : [];
  const start = restarts.at(-1) ?? bodyStart;
  const head = restarts.length === 0 ? [] : before.headings.filter(({ from }) => from < start);
  const reader = new HeadingReader(text);
  let next = 0;
  for (let from = start, last = start; from < text.length;) {
    if (reader.isAtStart && from > start) {
      while (before.restarts[next] + grown < from) {
        next += 1;
      }
      if (from >= unchangedFrom && before.restarts[next] + grown === from) {
        // So is what comes after a restart behind the last change.
        const tail = before.headings
          .filter((heading) => heading.from + grown >= from)
          .map((heading) => ({ ...heading, from: heading.from + grown, to: heading.to + grown }));
        restarts.push(...before.restarts.slice(next).map((restart) => restart + grown));
        return { text, bodyStart, headings: [...head, ...reader.headings, ...tail], restarts };
      }
      if (from - last >= restartDistance) {
        restarts.push(from);
        last = from;
      }
    }
    const newline = text.indexOf('\n', from);
    const to = newline < 0 ? text.length : newline;
    reader.read(from, to > from && text[to - 1] === '\r' ? to - 1 : to);
    from = to + 1;
  }
  return { text, bodyStart, headings: [...head, ...reader.headings], restarts };
}

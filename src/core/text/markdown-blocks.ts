import type { Line } from '../markdown/line';

/** A block quote, or a list item with the columns that its content is indented by. */
export type Container = { readonly kind: 'quote' } | { readonly kind: 'item'; readonly indent: number; hasContent: boolean };

const listMarker = /^(?:[-+*]|(\d{1,9})[.)])(?=[ \t]|$)/;
const thematicBreak = /^(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})$/;

/** Whether a line, without its indentation, is a thematic break. */
export function isThematicBreak(rest: string): boolean {
  return thematicBreak.test(rest);
}

/** Takes from a line what continues the open containers, and counts those that it continues. */
export function continueContainers(line: Line, containers: readonly Container[]): number {
  const first = containers.findIndex((container) => {
    if (container.kind === 'quote') {
      return !takeQuote(line);
    }
    if (line.isBlank) {
      return !container.hasContent;
    }
    if (line.indent < container.indent) {
      return true;
    }
    line.takeIndent(container.indent);
    return false;
  });
  return first < 0 ? containers.length : first;
}

/** Takes the marker of a container that begins here. @param inParagraph whether a paragraph of the same container is open */
export function takeContainer(line: Line, inParagraph: boolean): Container | undefined {
  if (takeQuote(line)) {
    return { kind: 'quote' };
  }
  const { rest, indent } = line;
  const marker = indent < 4 && !isThematicBreak(rest) ? listMarker.exec(rest) : null;
  if (marker === null) {
    return undefined;
  }
  const [{ length }, number = '1'] = marker;
  const isEmpty = rest.slice(length).trim() === '';
  // Only a list that has something to say and starts at 1 interrupts a paragraph.
  if (inParagraph && (isEmpty || Number(number) !== 1)) {
    return undefined;
  }
  line.takeMarker(length);
  // Content that is five columns away is indented code: one column belongs to the marker.
  const gap = isEmpty || line.indent > 4 ? 1 : line.indent;
  line.takeIndent(Math.min(gap, line.indent));
  return { kind: 'item', indent: indent + length + gap, hasContent: !isEmpty };
}

function takeQuote(line: Line): boolean {
  if (line.indent >= 4 || !line.rest.startsWith('>')) {
    return false;
  }
  line.takeMarker(1);
  line.takeIndent(Math.min(1, line.indent));
  return true;
}

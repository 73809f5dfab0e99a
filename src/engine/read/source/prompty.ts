import { parseDocument } from 'yaml';
import { bodyStartOf } from '../../../core/text/headings';
import { sourceNotes } from '../../../core/source/notes';
import { type MappedText, PieceWriter } from '../../../core/source/pieces';
import type { Variables } from '../../../core/source/variables';
import type { TextRange } from '../../../core/text/edits';

/** A message of a Prompty file. */
export interface PromptyMessage {
  readonly role: string;
  /** Its text, a part of the document. */
  readonly text: MappedText;
  /** With the line of its role. */
  readonly place: TextRange;
}

/** A Prompty file (microsoft/prompty): front matter, then messages or one text. */
export interface Prompty {
  /** Empty where no line of the body is a role. */
  readonly messages: readonly PromptyMessage[];
  /** Where the body begins. */
  readonly bodyStart: number;
  /** What the front matter says of variables: values of its sample, and defaults of its inputs. */
  readonly samples: Variables;
  readonly notes: readonly string[];
}

/** A line that begins a message, as Prompty's own reader takes it; Markdown's marks of a heading may stand before it. White space is matched one way only: it can be long. */
const roleLine = /^[ \t]*(?:#[ \t]*)?(system|user|assistant|developer|tool)[ \t]*:[ \t]*\r?$/gim;

/** Reads a Prompty file. Text before the first role is the system's, as Prompty has it. */
export function readPrompty(document: string): Prompty {
  const bodyStart = bodyStartOf(document);
  const { samples, notes } = samplesOf(document.slice(0, bodyStart));
  const roles = [...document.slice(bodyStart).matchAll(roleLine)].map(({ 0: line, 1: role, index }) => ({
    role: role.toLowerCase(),
    from: bodyStart + index,
    to: bodyStart + index + line.length,
  }));
  if (roles.length === 0) {
    return { messages: [], bodyStart, samples, notes };
  }
  const before = { role: 'system', from: bodyStart, to: bodyStart };
  const starts = document.slice(bodyStart, roles[0].from).trim() === '' ? roles : [before, ...roles];
  const messages = starts.map(({ role, from, to }, index): PromptyMessage => {
    const end = starts[index + 1]?.from ?? document.length;
    return { role, text: trimmed(document, to, end), place: { from, to: end } };
  });
  return { messages, bodyStart, samples, notes };
}

/** `[from, to)` of a document without the white space at its ends. */
export function trimmed(document: string, from: number, to: number): MappedText {
  const text = document.slice(from, to);
  const writer = new PieceWriter();
  const start = text.length - text.trimStart().length;
  writer.copy(document, from + start, from + Math.max(start, text.trimEnd().length));
  return writer.finish();
}

/** The values that a front matter has for variables; a note where they cannot be read. */
function samplesOf(frontMatter: string): Pick<Prompty, 'samples' | 'notes'> {
  const lines = frontMatter.split(/\r?\n/);
  const yaml = lines
    .slice(
      1,
      lines.findLastIndex((line) => /^(---|\.\.\.)[ \t]*$/.test(line)),
    )
    .join('\n');
  const parsed = parseDocument(yaml, { logLevel: 'silent' });
  const fields: unknown = parsed.errors.length > 0 ? undefined : jsonOf(parsed);
  if (fields === undefined) {
    return { samples: {}, notes: [sourceNotes.samples()] };
  }
  const { inputs, sample } = (fields ?? {}) as { readonly inputs?: unknown; readonly sample?: unknown };
  const simple = Object.entries(valuesOf(inputs)).map(([name, input]) => {
    const described = valuesOf(input);
    return [name, 'default' in described ? described.default : 'sample' in described ? described.sample : input] as const;
  });
  const samples = [...simple, ...Object.entries(valuesOf(sample))].filter((entry): entry is [string, string | number | boolean] =>
    ['string', 'number', 'boolean'].includes(typeof entry[1]),
  );
  const isElsewhere = typeof sample === 'string';
  return {
    samples: Object.fromEntries(samples.map(([name, value]) => [name, String(value)])),
    notes: isElsewhere ? [sourceNotes.samples()] : [],
  };
}

/** A YAML document as plain data; undefined where its aliases would make it too large. */
function jsonOf(document: ReturnType<typeof parseDocument>): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 }) as unknown;
  } catch {
    return undefined;
  }
}

function valuesOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Readonly<Record<string, unknown>>) : {};
}

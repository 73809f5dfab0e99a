import { parseDocument } from 'yaml';
import { InputError } from '../../../core/errors';
import { bodyStartOf } from '../../../core/text/headings';
import { sourceNotes } from '../../../core/source/notes';
import { type MappedText, PieceWriter } from '../../../core/source/pieces';
import type { Variables } from '../../../core/source/variables';
import type { TextRange } from '../../../core/text/edits';
import { described, quoted } from '../../../core/text/printable';

/** A message of a Prompty file. */
export interface PromptyMessage {
  readonly role: string;
  /** What stands in brackets behind the role, such as a `name`. */
  readonly attributes: Readonly<Record<string, string>>;
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

/**
 * A line that begins a message, as Prompty's own reader takes it, such as `user:` or `user[name="Jane"]:`; Markdown's marks of
 * a heading may stand before it. White space is matched one way only: it can be long.
 */
const roleLine = /^[ \t]*(?:#[ \t]*)?(system|user|assistant|developer|tool)(?:\[([^\]\r\n]*)\])?[ \t]*:[ \t]*\r?$/gim;

const attribute = /(\w+)[ \t]*=[ \t]*(?:"([^"]*)"|([^",\s]+))/g;

/**
 * Reads a Prompty file. Text before the first role is the system's, as Prompty has it.
 *
 * @throws InputError for inputs that are none; it names the input and the fix
 */
export function readPrompty(path: string, document: string): Prompty {
  const bodyStart = bodyStartOf(document);
  const { samples, notes } = samplesOf(path, document.slice(0, bodyStart));
  const roles = [...document.slice(bodyStart).matchAll(roleLine)].map(({ 0: line, 1: role, 2: attributes, index }) => ({
    role: role.toLowerCase(),
    attributes: attributesOf(attributes),
    from: bodyStart + index,
    to: bodyStart + index + line.length,
  }));
  if (roles.length === 0) {
    return { messages: [], bodyStart, samples, notes };
  }
  const before = { role: 'system', attributes: {}, from: bodyStart, to: bodyStart };
  const starts = document.slice(bodyStart, roles[0].from).trim() === '' ? roles : [before, ...roles];
  const messages = starts.map(({ role, attributes, from, to }, index): PromptyMessage => {
    const end = starts[index + 1]?.from ?? document.length;
    return { role, attributes, text: trimmed(document, to, end), place: { from, to: end } };
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

function attributesOf(written: string | undefined): PromptyMessage['attributes'] {
  return Object.fromEntries(
    [...(written ?? '').matchAll(attribute)].map(([, name, inQuotes, bare]) => [name, (inQuotes as string | undefined) ?? bare]),
  );
}

/** The values that a front matter has for variables; a note where they cannot be read. @throws InputError */
function samplesOf(path: string, frontMatter: string): Pick<Prompty, 'samples' | 'notes'> {
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
  const { inputs, inputSchema, sample } = valuesOf(fields);
  // Newer files have the inputs of their template under `inputSchema`.
  const given = inputs ?? valuesOf(inputSchema).properties;
  const simple = inputsOf(path, given).map(([name, input]) => {
    const { default: preset, sample: own, example } = valuesOf(input);
    return [name, [preset, own, example, input].find(isSimple)] as const;
  });
  const samples = [...simple, ...Object.entries(valuesOf(sample))].filter((entry): entry is [string, Simple] => isSimple(entry[1]));
  const isElsewhere = [sample, given].some((value) => typeof value === 'string');
  return {
    samples: Object.fromEntries(samples.map(([name, value]) => [name, String(value)])),
    notes: isElsewhere ? [sourceNotes.samples()] : [],
  };
}

/** What can stand in a text. */
type Simple = string | number | boolean;

function isSimple(value: unknown): value is Simple {
  return ['string', 'number', 'boolean'].includes(typeof value);
}

/** Inputs by their names, from a map or a list; none where they are in a file of their own. @throws InputError */
function inputsOf(path: string, inputs: unknown): (readonly [string, unknown])[] {
  if (!Array.isArray(inputs)) {
    if (isSimple(inputs) && typeof inputs !== 'string') {
      throw new InputError(`${path}: its inputs are ${described(inputs)}; give a list of inputs, or a map by their names.`);
    }
    return Object.entries(valuesOf(inputs));
  }
  const names = new Set<string>();
  return inputs.map((input: unknown, index) => {
    const { name } = valuesOf(input);
    if (typeof name !== 'string' || name === '') {
      throw new InputError(`${path}: input ${index + 1} of its list has no name; give it one, such as name: topic.`);
    }
    if (names.has(name)) {
      throw new InputError(`${path}: its list has the input ${quoted(name)} twice; give each input once.`);
    }
    names.add(name);
    return [name, input] as const;
  });
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

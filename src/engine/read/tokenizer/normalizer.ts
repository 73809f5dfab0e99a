import { ReplaceNormalizer } from '@huggingface/tokenizers';
import { InputError } from '../../../core/errors';
import { said } from '../../../core/l10n';
import { quoted } from '../../../core/text/printable';
import {
  AlignedBuilder,
  type AlignedText,
  type Change,
  changeParts,
  changesAlone,
  inSequence,
  unicodeForm,
  type UnicodeForm,
} from './aligned';
import { Charsmap, longestReplacement } from './charsmap';
import { codePoint, splitsPair, unitsOf } from './characters';
import { fieldsOf, type Json, type JsonObject, kindOf, stepsOf, textOf } from './json';
import { unlikeIn } from './patterns';

/** One normalizer. */
interface Step {
  readonly change: Change;
  /**
   * Whether it changes what begins with this character as it would at the start of a text, whatever comes before. Not given:
   * only the whole text can be normalized.
   */
  readonly startsAfresh?: (text: string) => boolean;
  /** What it looks up: it changes graphemes, not characters. */
  readonly charsmap?: Charsmap;
  /** Whether it leaves spaces; not given: it leaves those there were. */
  readonly blankless?: boolean;
}

/** How a tokenizer changes text before it is cut, part by part. */
export interface Normalizer {
  /** Put before every text that is not empty. */
  readonly prefix: string;
  readonly change: Change;
  /** Whether parts before and after an offset can be normalized apart. The offset is not within a surrogate pair. */
  readonly parts: (text: string, at: number) => boolean;
  readonly blankless: boolean;
  /** Why it is not exactly what the model was trained with; null if it is. */
  readonly approximation: string | null;
}

const always = (): boolean => true;

/** Reads `normalizer` of a `tokenizer.json`. @throws InputError that names what is not supported */
export function normalizerOf(json: Json): Normalizer {
  const steps: Step[] = [];
  let prefix = '';
  let approximation: string | null = null;
  for (const fields of stepsOf(json, 'normalizer', 'normalizers')) {
    const type = kindOf(fields);
    if (type === 'Prepend') {
      prefix = (textOf(fields.prepend) ?? '') + prefix;
      checkPrefix(prefix);
      continue;
    }
    const step = stepOf(type, fields);
    const unlike = type === 'Replace' ? unlikeIn(textOf(fieldsOf(fields.pattern, 'pattern').Regex) ?? '') : undefined;
    if (unlike !== undefined) {
      approximation = said`its normalizer Replace has ${quoted(unlike)}, which JavaScript reads in another way`;
    }
    if (prefix !== '' && !keepsApart(type, fields)) {
      approximation = said`its normalizer ${type} changes text after Prepend together with what that puts before it`;
    }
    prefix = step.change(prefix).text;
    checkPrefix(prefix);
    steps.push(step);
  }
  return {
    prefix,
    change: inSequence(steps.map(({ change }) => change)),
    parts: partsBy(steps),
    blankless: steps.some(({ blankless }) => blankless === true),
    approximation,
  };
}

/** Whether a normalizer changes every character for itself, and leaves none out. */
function keepsApart(type: string, fields: JsonObject): boolean {
  const literal = type === 'Replace' ? textOf(fieldsOf(fields.pattern, 'pattern').String) : undefined;
  return type === 'Lowercase' || (literal?.length === 1 && (textOf(fields.content) ?? '') !== '');
}

/** It is put before every text between two added tokens. */
function checkPrefix(prefix: string): void {
  if (prefix.length > longestReplacement) {
    throw new InputError('its normalizer Prepend puts text without end before others');
  }
}

/** Whether text can be parted before a character: if every step begins afresh with what the steps before made of it. */
function partsBy(steps: readonly Step[]): (text: string, at: number) => boolean {
  const [first, ...later] = steps;
  if (steps.some(({ startsAfresh }) => startsAfresh === undefined) || later.some(({ charsmap }) => charsmap !== undefined)) {
    return () => false;
  }
  if (steps.every(({ startsAfresh, charsmap }) => startsAfresh === always && charsmap === undefined)) {
    return always;
  }
  const parts = (character: string): boolean => {
    let text = character;
    for (const { change, startsAfresh } of steps) {
      if (text === '' || startsAfresh?.(text) !== true) {
        return false;
      }
      ({ text } = change(text));
    }
    return text !== '';
  };
  const { charsmap } = first;
  if (charsmap !== undefined) {
    return (text, at) => charsmap.startsAt(text, at) && parts(charsmap.firstGrapheme(text, at));
  }
  const known = new Map<number, boolean>();
  return (text, at) => {
    const point = codePoint(text, at);
    let answer = known.get(point);
    if (answer === undefined) {
      answer = parts(text.slice(at, at + unitsOf(point)));
      known.set(point, answer);
    }
    return answer;
  };
}

function stepOf(type: string, fields: JsonObject): Step {
  switch (type) {
    case 'NFC':
    case 'NFD':
    case 'NFKC':
    case 'NFKD':
      return formStep(type);
    case 'Lowercase':
      return { change: lowercase, startsAfresh: always };
    case 'StripAccents':
      return { change: removal(/\p{M}/gu), startsAfresh: always };
    case 'Strip':
      return { change: strip(fields.strip_left === true, fields.strip_right === true) };
    case 'Replace':
      return replaceStep(fields);
    case 'BertNormalizer':
      return bertStep(fields);
    case 'Precompiled': {
      const charsmap = new Charsmap(textOf(fields.precompiled_charsmap) ?? '');
      return { change: (text, most) => charsmap.change(text, most), startsAfresh: always, charsmap };
    }
    default:
      throw new InputError(`its normalizer ${quoted(type)} is not known`);
  }
}

function formStep(form: UnicodeForm): Step {
  return { change: unicodeForm(form), startsAfresh: changesAlone };
}

/** Lowercases each character for itself, as the Rust library does: a final sigma is like any other. */
function lowercase(text: string, most?: number): AlignedText {
  // The only characters whose lower case is of another length, or depends on its neighbours.
  if (!/[\u0130\u03a3]/.test(text)) {
    return { text: text.toLowerCase(), origins: undefined };
  }
  return changeParts(text, text, (character) => character.toLowerCase(), most);
}

function removal(pattern: RegExp): Change {
  return (text) => {
    pattern.lastIndex = 0;
    return pattern.test(text) ? changeParts(text, text, (character) => character.replace(pattern, '')) : { text, origins: undefined };
  };
}

function strip(left: boolean, right: boolean): Change {
  return (text) => {
    const head = left ? (/^\p{White_Space}+/u.exec(text)?.[0].length ?? 0) : 0;
    let end = text.length;
    while (right && end > head && /\p{White_Space}/u.test(text[end - 1])) {
      end -= 1;
    }
    const kept = text.slice(head, end);
    return { text: kept, origins: head === 0 ? undefined : Int32Array.from({ length: kept.length }, (_, at) => head + at) };
  };
}

function replaceStep(fields: JsonObject): Step {
  const content = textOf(fields.content) ?? '';
  const pattern = fieldsOf(fields.pattern, 'pattern');
  const literal = textOf(pattern.String);
  const { pattern: compiled } = new ReplaceNormalizer(fields as unknown as ConstructorParameters<typeof ReplaceNormalizer>[0]);
  if (compiled === null || content.length > longestReplacement) {
    throw new InputError('its normalizer Replace has no pattern, or a replacement without end');
  }
  if (literal?.length === 1 && content.length === 1) {
    const blankless = literal === ' ' && content !== ' ';
    return { change: (text) => ({ text: text.replaceAll(literal, content), origins: undefined }), startsAfresh: always, blankless };
  }
  const change: Change = (text, most) => replaceMatches(text, compiled, content, most);
  const inner = literal === undefined ? innerCharacters.get(textOf(pattern.Regex) ?? '') : literal.slice(1);
  return inner === undefined ? { change } : { change, startsAfresh: (text) => !inner.includes(String.fromCodePoint(codePoint(text, 0))) };
}

/** Patterns whose matches are runs: the characters that a match may have after its first. */
const innerCharacters: ReadonlyMap<string, string> = new Map([
  [' {2,}', ' '],
  [' +', ' '],
]);

/** Replaces matches. As in the Rust library, the replacement comes from the last character of the match. */
function replaceMatches(text: string, pattern: RegExp, content: string, most: number | undefined): AlignedText {
  let changed: AlignedBuilder | undefined;
  let from = 0;
  for (const { 0: match, index } of text.matchAll(pattern)) {
    if (match.length === 0) {
      continue;
    }
    changed ??= new AlignedBuilder(text, most);
    changed.keep(text.slice(from, index), from);
    from = index + match.length;
    changed.put(content, splitsPair(text, from - 1) ? from - 2 : from - 1);
  }
  if (changed === undefined) {
    return { text, origins: undefined };
  }
  changed.keep(text.slice(from), from);
  return changed.result();
}

const dropped = /(?![\t\n\r])[\uFFFD\p{Cc}\p{Cf}\p{Co}]/gu;
const han =
  /[\u4e00-\u9fff\u3400-\u4dbf\u{20000}-\u{2a6df}\u{2a700}-\u{2b73f}\u{2b740}-\u{2b81f}\u{2b820}-\u{2ceaf}\uf900-\ufaff\u{2f800}-\u{2fa1f}]/u;

/** BERT's: without control characters, white space as spaces, spaces around Han characters, lower case, no accents. */
function bertStep(fields: JsonObject): Step {
  const steps: Step[] = [];
  if (fields.clean_text === true) {
    steps.push({ change: removal(dropped), startsAfresh: always });
    steps.push({ change: (text) => ({ text: text.replace(/\p{White_Space}/gu, ' '), origins: undefined }), startsAfresh: always });
  }
  if (fields.handle_chinese_chars === true) {
    const apart = (character: string): string => (han.test(character) ? ` ${character} ` : character);
    steps.push({
      change: (text, most) => (han.test(text) ? changeParts(text, text, apart, most) : { text, origins: undefined }),
      startsAfresh: always,
    });
  }
  const stripped = typeof fields.strip_accents === 'boolean' ? fields.strip_accents : fields.lowercase === true;
  if (stripped) {
    steps.push(formStep('NFD'), { change: removal(/\p{Mn}/gu), startsAfresh: always });
  }
  if (fields.lowercase === true) {
    steps.push({ change: lowercase, startsAfresh: always });
  }
  // Parts by what each step leaves of a character: composed here, because they come and go together.
  const parts = partsBy(steps);
  return { change: inSequence(steps.map(({ change }) => change)), startsAfresh: (text) => parts(text, 0) };
}

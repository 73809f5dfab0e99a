import { type PartName, partsOf, type PartStarts, type ScenarioChoice, withStarts } from '../../core/scenario/scenario';
import { separatorOf } from '../../core/options/documents';
import type { SimulationOptions } from '../../core/options/table';
import type { PlanRequest } from '../../core/plan/request';
import { hasHeadings } from '../../core/source/format';
import { type PromptText, templateRole } from '../../core/source/prompt-text';
import { outlineOf } from '../../core/text/headings';
import type { TokenPlaces } from './tokenizer/token-places';

/** What tells where the parts of a prompt begin. */
export interface PartedText {
  readonly text: PromptText;
  /** Of its tokens; asked only where a scenario counts parts. */
  readonly places: () => TokenPlaces;
  /** Tokens that are read: parts after them are no parts of it. */
  readonly tokens: number;
  /** The option: what ends a document. */
  readonly separator: string;
}

/** What plans take from a prompt besides its length. @throws InputError for a separator that cannot be */
export function placedOptions<O extends Pick<SimulationOptions, 'scenario' | 'resetPositions'>>(
  options: O,
  parted: PartedText,
): O & Pick<PlanRequest, 'restarts'> {
  const scenario = placedScenario(options.scenario, parted);
  return { ...options, scenario, ...(options.resetPositions && { restarts: partStarts(['doc'], parted).doc }) };
}

/** A scenario with the places of the parts that its masks count in a prompt. @throws InputError for a separator that cannot be */
export function placedScenario(scenario: ScenarioChoice, parted: PartedText): ScenarioChoice {
  const names = partsOf(scenario);
  return names.length === 0 ? scenario : withStarts(scenario, partStarts(names, parted));
}

/**
 * The tokens at which the parts of a prompt begin: the first that begins in each part. A token that holds the end of one part and the
 * beginning of the next belongs to the first.
 *
 * @throws InputError for a separator that cannot be
 */
export function partStarts(names: readonly PartName[], { text, places, tokens, separator }: PartedText): PartStarts {
  const found = places();
  return Object.fromEntries(
    names.map((name) => {
      const starts = offsetsOf[name](text, separator).map((offset) => found.firstTokenFrom(offset));
      return [name, [0, ...new Set(starts.filter((start) => start > 0 && start < tokens))]];
    }),
  );
}

/** Where the parts of a text begin, in UTF-16 code units, ascending; the text's own beginning may be left out. */
const offsetsOf: Readonly<Record<PartName, (text: PromptText, separator: string) => readonly number[]>> = {
  /** Behind each separator, which belongs to the document that it ends. */
  doc: ({ text }, separator) => {
    const sought = separatorOf(separator);
    const offsets: number[] = [];
    for (let at = text.indexOf(sought); at >= 0; at = text.indexOf(sought, at + sought.length)) {
      offsets.push(at + sought.length);
    }
    return offsets;
  },
  /** What a template puts before a message belongs to it; what it puts behind the last one begins the answer, a message of its own. */
  msg: ({ parts }) => {
    const isTemplate = (index: number): boolean => index >= 0 && parts[index].role === templateRole;
    return parts.filter((_, index) => index > 0 && !isTemplate(index - 1)).map(({ text: { from } }) => from);
  },
  /** At each heading of any level; only white space before the first is no section. */
  sec: ({ text, format }) => {
    const starts = hasHeadings(format) ? outlineOf(text).headings.map(({ from }) => from) : [];
    return starts.length > 0 && text.slice(0, starts[0]).trim() === '' ? starts.slice(1) : starts;
  },
};

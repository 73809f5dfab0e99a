/**
 * What is taken out of outcomes before they are compared, all of it here: what no two runs have in common.
 * Planned numbers, predictions, counts, errors, quality and messages stay as they are, to the last digit.
 *
 * 1. Times and memory that were measured: numbers in JSON under the keys of `measured`, and inside `phases` and the list
 *    `layers`, but none inside the keys of `planned`. Null stays null, and 0 stays 0: a phase that there was not.
 * 2. `environment` of a report: versions, machine and date. Its keys stay.
 * 3. In any text: the paths of the workplace and of the code that ran (through links too), the processor's name, the random
 *    part of a draft's name, and the memory that is free where weights are refused for it.
 * 4. Text for people: durations and memory where `measuredText` says that a line tells of a run, and the columns
 *    `time` and `measured` of tables. Durations elsewhere are predictions, and stay.
 * 5. `--version` prints a version.
 * 6. `now`, what other programs want; predictions on one thread are those of a quiet machine while one core is free.
 */
import { cpus } from 'node:os';

const measured = new Set(['wallMs', 'attendMs', 'prefillMs', 'decodeMs', 'peakRssBytes']);
const measuredWithin = new Set(['phases', 'layers']);
const planned = new Set(['prediction', 'cost', 'model', 'options', 'oracle', 'plan', 'experiment']);

/** What the numbers under a key are. `layers` is also a count, and that is planned. @param {string} key @param {unknown} inner */
function kindOf(key, inner) {
  return planned.has(key) ? 'planned' : measured.has(key) || (measuredWithin.has(key) && typeof inner === 'object') ? 'measured' : 'mixed';
}

const duration = String.raw`(?:[\d,]+ h \d\d min|\d+ min \d\d s|[\d.]+ (?:ms|s))`;
const bytes = String.raw`[\d.,]+ (?:B|KiB|MiB|GiB)`;
const phase = 'tokenize|project|gather|attend|merge|layer|mlp|verify|quality';

/** Lines that tell what a run took, by command. @type {Readonly<Record<string, readonly (readonly [RegExp, string])[]>>} */
const measuredText = {
  simulate: [
    [new RegExp(`(?<=^ {2}time +)${duration}`), '<time>'],
    [new RegExp(`(?<=^ {2}time .*[(, ](?:${phase}) )${duration}`, 'g'), '<time>'],
    [new RegExp(`(?<=^ {2}peak memory +)${bytes}`), '<memory>'],
  ],
  generate: [[new RegExp(`^( {2}prompt )${duration}( .*, then )${duration}(?= a token)`), '$1<time>$2<time>']],
  pack: [
    [new RegExp(`(?<=^ {2}(?:packed|separate) .*, )${duration}(?= in (?:attention|all))`, 'g'), '<time>'],
    [new RegExp(`(?<=^ {2}ran on .*, peak memory )${bytes}`), '<memory>'],
  ],
};

/** Commands whose tables have a column that was measured. */
const measuredColumns = new Set(['compare', 'ledger', 'evaluate', 'sweep', 'run']);

/**
 * @param {string} folder the workplace
 * @param {readonly string[]} code paths of the code that ran, the longest first
 */
export function normaliser(folder, code) {
  const names = [[folder, '<work>'], ...code.map((path) => [path, '<code>']), [cpus()[0]?.model.trim() ?? '', '<cpu>']].filter(
    ([found]) => found !== '',
  );
  const text = (/** @type {string} */ value) =>
    names
      .reduce((rest, [found, name]) => rest.replaceAll(found, name), value)
      .replace(/[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}(?=\.part)/g, '<random>')
      .replace(new RegExp(`(?<=for its weights and )${bytes}(?= may be used)`), '<memory>');

  /** @param {unknown} value @param {'planned' | 'mixed' | 'measured'} numbers what the numbers in it are @returns {unknown} */
  const document = (value, numbers = 'mixed') => {
    if (typeof value === 'string') {
      return text(value);
    }
    if (typeof value === 'number') {
      return numbers === 'measured' && value !== 0 ? '<measured>' : value;
    }
    if (Array.isArray(value)) {
      return value.map((item) => document(item, numbers));
    }
    if (typeof value === 'object' && value !== null) {
      return Object.fromEntries(
        Object.entries(value).map(([key, inner]) => [
          key,
          key === 'environment'
            ? environment(inner)
            : key === 'now' && typeof inner === 'number'
              ? '<now>'
              : document(inner, numbers === 'mixed' ? kindOf(key, inner) : numbers),
        ]),
      );
    }
    return value;
  };

  /** @param {unknown} value */
  const environment = (value) =>
    typeof value === 'object' && value !== null
      ? Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, `<${typeof inner}>`]))
      : value;

  /** Lines of text for people. @param {string} command @param {string} value */
  const lines = (command, value) => {
    const rules = measuredText[command] ?? [];
    const plain = text(value)
      .split('\n')
      .map((line) => rules.reduce((rest, [found, name]) => rest.replace(found, name), line));
    return command === '--version'
      ? plain.map((line) => line.replace(/^\d+\.\d+\.\d+$/, '<version>'))
      : measuredColumns.has(command)
        ? withoutColumn(plain)
        : plain;
  };
  return { text, document, lines };
}

/**
 * Tables whose column `time` or `measured` is taken out. Cells are aligned to the right, so that a column ends where its title does.
 *
 * @param {readonly string[]} lines
 */
function withoutColumn(lines) {
  /** @type {readonly [from: number, to: number] | undefined} */
  let column;
  return lines.map((line) => {
    const title = /^(?:scenario|statement) .* (time|measured)(?= {2}|$)/d.exec(line);
    const place = title?.indices?.[1];
    if (place !== undefined) {
      column = [line.slice(0, place[0]).trimEnd().length, place[1]];
    }
    const cell = column === undefined ? '' : line.slice(...column).trim();
    if (column === undefined || (place === undefined && cell !== '-' && !new RegExp(`^${duration}$`).test(cell))) {
      column = undefined;
      return line;
    }
    return `${line.slice(0, column[0])}  ${cell.replace(/^\d.*$/, '<time>')}${line.slice(column[1])}`;
  });
}

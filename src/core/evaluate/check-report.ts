import { formatCount, formatDuration, formatFigure } from '../format';
import { messageShown, t, text } from '../l10n';
import { visible } from '../text/printable';
import type { BudgetCheck } from './budget-checks';
import type { BudgetName } from './budgets';

/** A budget in words. */
export const budgetNames: Readonly<Record<BudgetName, string>> = {
  tokens: 'tokens',
  calls: 'calls',
  memoryMiB: text('expected peak memory'),
  predictedMs: text('expected time'),
  perplexityRatio: text('ratio of perplexities'),
  kl: text('mean KL'),
  klWithin: text('mean KL within the trained length'),
  klTouched: text('mean KL at touched positions'),
};

/**
 * A value and what it may be at most, in digits that agree with the verdict: a count's limit is the highest count that keeps it,
 * and a broken budget whose two figures would be the same has them in full.
 */
export function budgetFigures(
  { budget, value }: Pick<BudgetCheck, 'budget' | 'value'>,
  limit: number,
): readonly [is: string, mayBe: string] {
  const figures = [budgetValue(budget, value), budgetValue(budget, isCount(budget) ? Math.floor(limit) : limit)] as const;
  if (value === null || value <= limit || figures[0] !== figures[1]) {
    return figures;
  }
  const unit = budget === 'memoryMiB' ? ' MiB' : budget === 'predictedMs' ? ' ms' : '';
  return [`${value}${unit}`, `${limit}${unit}`];
}

function isCount(budget: BudgetName): boolean {
  return budget === 'tokens' || budget === 'calls';
}

/** A budget's value in its unit; `-` where there is none. */
function budgetValue(budget: BudgetName, value: number | null): string {
  if (value === null) {
    return '-';
  }
  switch (budget) {
    case 'tokens':
    case 'calls':
      return formatCount(value);
    case 'memoryMiB':
      return `${formatFigure(value)} MiB`;
    case 'predictedMs':
      return formatDuration(value);
    default:
      return formatFigure(value);
  }
}

/** What broke, in a clause: the prompt, the budget, the value and the limit. */
export function brokenText({ prompt, scenario, blockSize, budget, value, limit, allowed, unknown, failed }: BudgetCheck): string {
  const where = t('{0} under {1}, M = {2}', prompt, scenario, blockSize);
  if (failed !== undefined) {
    return t('{0} failed ({1})', where, messageShown(failed));
  }
  const name = t(budgetNames[budget]);
  if (value === null) {
    return t('{0} has no {1} ({2})', where, name, unknown === undefined ? t('it is not known') : messageShown(unknown));
  }
  const [is, mayBe] = budgetFigures({ budget, value }, allowed);
  return allowed === limit
    ? t('{0} has {1} {2}, over {3}', where, name, is, mayBe)
    : t('{0} has {1} {2}, over {3} ({4} with its tolerance)', where, name, is, budgetFigures({ budget, value }, limit)[1], mayBe);
}

/**
 * Checks as JUnit XML, which CI systems read: a suite for each prompt, a case for each budget under each scenario.
 *
 * The layout that Jenkins and GitLab take (https://github.com/testmoapp/junitxml): `testsuites`, `testsuite`, `testcase`, and
 * `failure` in a case that failed.
 * @param name of the whole
 */
export function junitXml(name: string, checks: readonly BudgetCheck[]): string {
  const prompts = new Map<string, BudgetCheck[]>();
  checks.forEach((check) => prompts.set(check.prompt, [...(prompts.get(check.prompt) ?? []), check]));
  const counts = (of: readonly BudgetCheck[]): string =>
    `tests="${of.length}" failures="${of.filter(({ kept }) => !kept).length}" errors="0"`;
  const caseOf = (check: BudgetCheck): string => {
    const title = `${budgetNames[check.budget]}: ${check.scenario}, M = ${check.blockSize}`;
    const failure = check.kept ? '' : `\n      <failure message="${xmlText(brokenText(check))}" type="budget"/>\n    `;
    const { file, line } = placeOf(check.prompt);
    const place = `file="${xmlText(file)}"${line === undefined ? '' : ` line="${line}"`}`;
    return `    <testcase name="${xmlText(title)}" classname="${xmlText(check.prompt)}" ${place}>${failure}</testcase>`;
  };
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="${xmlText(name)}" ${counts(checks)}>`,
    ...[...prompts].flatMap(([prompt, own]) => [
      `  <testsuite name="${xmlText(prompt)}" ${counts(own)}>`,
      ...own.map(caseOf),
      '  </testsuite>',
    ]),
    '</testsuites>',
    '',
  ].join('\n');
}

/** The file of a prompt, and its line there: a conversation of JSON lines is named by its line. */
function placeOf(prompt: string): { readonly file: string; readonly line: string | undefined } {
  const [, file, line] = /^(.*\.jsonl):(\d+)$/is.exec(prompt) ?? [undefined, prompt, undefined];
  return { file, line };
}

/** Text for an XML 1.0 attribute or element. Characters that XML cannot hold, even escaped, become replacement characters. */
function xmlText(text: string): string {
  return (
    text
      // Halves of surrogate pairs.
      .replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, '\ufffd')
      // eslint-disable-next-line no-control-regex -- what XML 1.0 leaves out are control characters
      .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd')
      .replace(/[&<>"'\t\n\r]/g, (character) => `&#${character.charCodeAt(0)};`)
  );
}

/** Most annotations of one step that GitHub shows. */
const mostAnnotations = 10;

/**
 * Broken budgets as GitHub's workflow commands, a line each, which annotate a prompt's file.
 *
 * Escaped as GitHub's own toolkit does (actions/toolkit, packages/core/src/command.ts). More than ten are summed up in the last:
 * GitHub shows no more of a step.
 */
export function githubAnnotations(checks: readonly BudgetCheck[]): string[] {
  const broken = checks.filter(({ kept }) => !kept);
  const shown = broken.length > mostAnnotations ? broken.slice(0, mostAnnotations - 1) : broken;
  const more = broken.length - shown.length;
  return [
    ...shown.map((check) => {
      const { file, line } = placeOf(check.prompt);
      const place = `file=${property(file)}${line === undefined ? '' : `,line=${line}`}`;
      return `::error ${place},title=${property(`Budget: ${budgetNames[check.budget]}`)}::${message(brokenText(check))}`;
    }),
    ...(more > 0 ? [`::error title=Budgets::${more} more budgets are broken.`] : []),
  ];
}

function message(text: string): string {
  return visible(text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A'));
}

function property(text: string): string {
  return message(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}

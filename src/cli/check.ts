import { isAbsolute, relative } from 'node:path';
import { InputError } from '../core/errors';
import type { BudgetCheck } from '../core/evaluate/budget-checks';
import { type Budgets, budgetTable, type GivenBudgets, namesOf, toleranceOption } from '../core/evaluate/budgets';
import { brokenText, budgetFigures, budgetNames, githubAnnotations, junitXml } from '../core/evaluate/check-report';
import { type Experiment, resultsOption } from '../core/evaluate/experiment';
import { formatCount, formatNumberOf } from '../core/format';
import type { Option } from '../core/options/option';
import { reportSchemaVersion } from '../core/report/report';
import { checkedExperiment, checksOf } from '../engine/tasks/evaluate/budgets';
import { readExperiment } from '../engine/tasks/evaluate/experiment-file';
import { type Given, jsonOption, print, writeWhole } from './io';
import { type Command, readGiven, textGiven, valuesOf } from './options';
import { checkExperimentOutputs, performExperiment, withSource } from './run';
import { sourceOptions } from './source';
import { table } from './table';

/** Broken budgets that the message names; the table has them all. */
const namedBudgets = 5;

const toleranceFlag: Option = { ...toleranceOption };

const evidenceOption: Option = {
  ...resultsOption,
  description:
    'Results to rest on instead of measuring: those of this experiment alone, each line as it was written. What is missing is measured and appended. The results of the experiment file are not read.',
};

const junitOption: Option = {
  flag: 'junit',
  symbol: 'file.xml',
  description: 'Also write the checks as JUnit XML.',
  value: { type: 'text' },
};

const githubOption: Option = {
  flag: 'github',
  description: "Also annotate the files of broken budgets, as GitHub's workflow commands; on where GITHUB_ACTIONS is true.",
  value: { type: 'switch' },
  default: false,
};

/** `two-heads check`: fails where a prompt of an experiment breaks a budget. */
export const checkCommand: Command = {
  usage: 'check <file.two-heads.json>',
  description: 'fail where a prompt breaks a budget',
  options: [...Object.values(budgetTable), toleranceFlag, ...sourceOptions, evidenceOption, junitOption, githubOption, jsonOption],
  run: async ([path], given, io) => {
    const read = await withSource(await readExperiment(path, io.modelsFolder), given);
    const { budgets, tolerance } = budgetsFrom(given, read);
    const junit = textGiven(junitOption, given);
    await checkExperimentOutputs(read, given, io, { files: [path], outputs: [{ flag: '--junit', path: junit }] });
    // Results that somebody wrote are no evidence unless they are named, and then each line is checked.
    const measured = await performExperiment('check', checkedExperiment(read, budgets), given, io, true);
    const checks = checksOf(measured, budgets, tolerance);
    const broken = checks.filter(({ kept }) => !kept);
    if (junit !== undefined) {
      await writeWhole(junit, junitXml(`two-heads check ${path}`, checks), '--junit');
    }
    print(io, given, { schemaVersion: reportSchemaVersion, budgets, tolerance, checks, kept: broken.length === 0 }, () =>
      checksText(checks),
    );
    if (given[githubOption.flag] === true || process.env.GITHUB_ACTIONS === 'true') {
      // GitHub reads commands on both streams; with --json, standard output is one document.
      const out = given[jsonOption.flag] === true ? io.stderr : io.stdout;
      githubAnnotations(checks.map(fromHere)).forEach((line) => out.write(`${line}\n`));
    }
    if (broken.length > 0) {
      const more = broken.length > namedBudgets ? `; and ${formatCount(broken.length - namedBudgets)} more` : '';
      throw new Error(
        `${formatNumberOf(broken.length, 'budget')} of ${formatCount(checks.length)} ${broken.length === 1 ? 'is' : 'are'} broken: ${broken.slice(0, namedBudgets).map(brokenText).join('; ')}${more}.`,
      );
    }
  },
};

/** The limits of flags, each with the tolerance that the file has for its budget. */
function flagged(own: Budgets, limits: GivenBudgets): Budgets {
  return Object.fromEntries(
    namesOf(limits).map((name) => {
      const filed = own[name];
      return [name, typeof filed === 'object' ? { ...filed, limit: limits[name] } : limits[name]];
    }),
  );
}

/** The budgets of flags and file: a flag's limit goes before the file's. @throws InputError where there is none */
function budgetsFrom(
  given: Given,
  { budgets: file }: Pick<Experiment, 'budgets'>,
): { readonly budgets: Budgets; readonly tolerance: string } {
  const { tolerance: filed, ...own } = file ?? {};
  const budgets: Budgets = { ...own, ...flagged(own, valuesOf(budgetTable, given)) };
  if (namesOf(budgets).length === 0) {
    const names = Object.values(budgetTable).map(({ flag }) => `--${flag}`);
    throw new InputError(
      `There is no budget to check; give ${names.join(', ').replace(/, (\S+)$/, ' or $1')}, or "budgets" in the experiment file.`,
    );
  }
  const asked = readGiven(toleranceFlag, given) as string | undefined;
  return { budgets, tolerance: asked ?? filed ?? toleranceOption.default };
}

/** A check whose prompt is named from the current folder, as GitHub's annotations need it. */
function fromHere(check: BudgetCheck): BudgetCheck {
  const { prompt } = check;
  return { ...check, prompt: (isAbsolute(prompt) ? relative(process.cwd(), prompt) : prompt).replaceAll('\\', '/') };
}

function checksText(checks: readonly BudgetCheck[]): string {
  return table(
    ['prompt', 'scenario', 'M', 'budget', 'is', 'may be', ''],
    checks.map(({ prompt, scenario, blockSize, budget, value, allowed, kept }) => [
      // GitHub reads a line that begins so as a command.
      /^\s*(::|##\[)/.test(prompt) ? `./${prompt}` : prompt,
      scenario,
      formatCount(blockSize),
      budgetNames[budget],
      ...budgetFigures({ budget, value }, allowed),
      kept ? 'kept' : 'BROKEN',
    ]),
  );
}

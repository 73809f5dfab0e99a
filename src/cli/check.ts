import { InputError } from '../core/errors';
import { type BudgetCheck, type Budgets, budgetTable, checkBudgets } from '../core/evaluate/budgets';
import { resultsOption } from '../core/evaluate/experiment';
import { formatCount, formatDuration, formatFigure, formatNumberOf } from '../core/format';
import { reportSchemaVersion } from '../core/report/report';
import { readExperiment } from '../engine/tasks/evaluate/experiment-file';
import { wholeReport } from '../engine/tasks/evaluate/run-experiment';
import { type Given, jsonOption, print } from './io';
import { type Command, valuesOf } from './options';
import { performExperiment, withSource } from './run';
import { sourceOptions } from './source';
import { table } from './table';

/** Broken budgets that the message names; the table has them all. */
const namedBudgets = 5;

/** `two-heads check`: fails where a prompt of an experiment breaks a budget. */
export const checkCommand: Command = {
  usage: 'check <file.two-heads.json>',
  description: 'fail where a prompt breaks a budget',
  options: [...Object.values(budgetTable), ...sourceOptions, resultsOption, jsonOption],
  run: async ([path], given, io) => {
    const budgets = budgetsFrom(given);
    const experiment = await withSource(await readExperiment(path, io.modelsFolder), given);
    // Calls and time are planned; only a divergence needs a run.
    const measured = await performExperiment(
      'check',
      { ...experiment, needle: null, quality: budgets.kl !== undefined || budgets.klWithin !== undefined },
      given,
      io,
    );
    const checks = checkBudgets(wholeReport(measured), budgets);
    const broken = checks.filter(({ kept }) => !kept);
    print(io, given, { schemaVersion: reportSchemaVersion, budgets, checks, kept: broken.length === 0 }, () => checksText(checks));
    if (broken.length > 0) {
      const more = broken.length > namedBudgets ? `; and ${formatCount(broken.length - namedBudgets)} more` : '';
      throw new Error(
        `${formatNumberOf(broken.length, 'budget')} of ${formatCount(checks.length)} ${broken.length === 1 ? 'is' : 'are'} broken: ${broken.slice(0, namedBudgets).map(brokenText).join('; ')}${more}.`,
      );
    }
  },
};

/** @throws InputError where no budget is given */
function budgetsFrom(given: Given): Budgets {
  const flags = Object.values(budgetTable).map(({ flag }) => flag);
  if (flags.every((flag) => given[flag] === undefined)) {
    throw new InputError(
      `There is no budget to check; give ${flags
        .map((flag) => `--${flag}`)
        .join(', ')
        .replace(/, (\S+)$/, ' or $1')}.`,
    );
  }
  return valuesOf(budgetTable, given);
}

const names: Readonly<Record<keyof Budgets, string>> = {
  calls: 'calls',
  predictedMs: 'expected time',
  kl: 'mean KL',
  klWithin: 'mean KL within the trained length',
};

function checksText(checks: readonly BudgetCheck[]): string {
  return table(
    ['prompt', 'scenario', 'M', 'budget', 'is', 'may be', ''],
    checks.map(({ prompt, scenario, blockSize, budget, value, limit, kept }) => [
      prompt,
      scenario,
      formatCount(blockSize),
      names[budget],
      valueText(budget, value),
      valueText(budget, limit),
      kept ? 'kept' : 'BROKEN',
    ]),
  );
}

function brokenText({ prompt, scenario, blockSize, budget, value, limit }: BudgetCheck): string {
  const where = `${prompt} under ${scenario}, M = ${blockSize}`;
  const unknown = budget === 'predictedMs' ? 'run two-heads calibrate first' : 'predictions under this scenario mean nothing';
  return value === null
    ? `${where} has no ${names[budget]} (${unknown})`
    : `${where} has ${names[budget]} ${valueText(budget, value)}, over ${valueText(budget, limit)}`;
}

function valueText(budget: keyof Budgets, value: number | null): string {
  const format = { calls: formatCount, predictedMs: formatDuration, kl: formatFigure, klWithin: formatFigure }[budget];
  return value === null ? '-' : format(value);
}

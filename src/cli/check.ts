import type { Command } from 'commander';
import { InputError } from '../core/errors';
import { checkBudgets, type BudgetCheck, type Budgets } from '../core/evaluate/budgets';
import { formatCount, formatDuration, formatFigure, formatNumberOf } from '../core/format';
import { positiveNumber } from '../core/options/options';
import { reportSchemaVersion } from '../core/report/report';
import type { Surroundings } from './commands';
import { readExperiment } from '../engine/tasks/evaluate/experiment-file';
import { performExperiment } from './experiments';
import { print } from './print';
import { table } from './text';

/** Flags of `check` as the command line gives them. */
export interface CheckFlags {
  readonly maxCalls?: string;
  readonly maxPredictedMs?: string;
  readonly maxKl?: string;
  readonly results?: string;
  readonly json?: boolean;
}

/** Adds the flags of `check`. */
export function addCheckFlags(command: Command): Command {
  return command
    .option('--max-calls <n>', 'calls of the small transformer that each prompt may take')
    .option('--max-predicted-ms <t>', 'milliseconds that this device, once calibrated, may be expected to take for each prompt')
    .option('--max-kl <x>', "mean KL divergence from the model's own attention, in nats, that each prompt may have")
    .option('--results <file.jsonl>', 'append every result to a file, and go on from what is in it')
    .option('--json', 'print one JSON document on stdout');
}

/** Broken budgets that the message names; the table has them all. */
const namedBudgets = 5;

/** `two-heads check`: fails where a prompt of an experiment breaks a budget. */
export async function checkCommand(path: string, flags: CheckFlags, surroundings: Surroundings): Promise<void> {
  const budgets = budgetsFrom(flags);
  const experiment = await readExperiment(path, surroundings.modelsFolder);
  // Calls and time are planned; only a divergence needs a run.
  const report = await performExperiment('check', { ...experiment, needle: null, quality: budgets.kl !== undefined }, flags, surroundings);
  const checks = checkBudgets(report, budgets);
  const broken = checks.filter(({ kept }) => !kept);
  print(flags, { schemaVersion: reportSchemaVersion, budgets, checks, kept: broken.length === 0 }, () => checksText(checks));
  if (broken.length > 0) {
    const more = broken.length > namedBudgets ? `; and ${formatCount(broken.length - namedBudgets)} more` : '';
    throw new Error(
      `${formatNumberOf(broken.length, 'budget')} of ${formatCount(checks.length)} ${broken.length === 1 ? 'is' : 'are'} broken: ${broken.slice(0, namedBudgets).map(brokenText).join('; ')}${more}.`,
    );
  }
}

function budgetsFrom({ maxCalls, maxPredictedMs, maxKl }: CheckFlags): Budgets {
  const limit = (flag: string, value: string | undefined): number | undefined =>
    value === undefined ? undefined : positiveNumber(flag, value, Number.MAX_SAFE_INTEGER);
  if (maxCalls === undefined && maxPredictedMs === undefined && maxKl === undefined) {
    throw new InputError('There is no budget to check; give --max-calls, --max-predicted-ms or --max-kl.');
  }
  return { calls: limit('--max-calls', maxCalls), predictedMs: limit('--max-predicted-ms', maxPredictedMs), kl: limit('--max-kl', maxKl) };
}

const names: Readonly<Record<keyof Budgets, string>> = { calls: 'calls', predictedMs: 'expected time', kl: 'mean KL' };

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
  const format = { calls: formatCount, predictedMs: formatDuration, kl: formatFigure }[budget];
  return value === null ? '-' : format(value);
}

import type { WantedScenarios } from '../core/compare/sort-scenarios';
import { InputError } from '../core/errors';
import { formatCount, formatDuration, formatError, formatFigure } from '../core/format';
import type { Option } from '../core/options/option';
import { optionTable } from '../core/options/table';
import type { RunReport } from '../core/report/report';
import { scoreText } from '../core/report/quality-words';
import { failOn, verdictName, verdictText } from '../core/report/verdict';
import { choiceDefinitions, kindsWith, scenarioLabel, standardKinds, textParameters } from '../core/scenario/scenario';
import { readPrompt } from '../engine/read/prompt';
import { compare, planComparison } from '../engine/tasks/compare';
import { type Given, jsonOption, print, progressPrinter } from './io';
import {
  choiceFrom,
  type Command,
  commonOptions,
  flagText,
  numberOptions,
  refuseIdle,
  refuseIdleSeparator,
  textGiven,
  textOptions,
  valuesOf,
} from './options';
import { sourceFrom, sourceOptions } from './source';
import { noteLines } from './plan';
import { table } from './table';

const scenariosOption: Option = {
  flag: 'scenarios',
  symbol: 'a,b,c',
  description: `Scenarios to compare, of ${choiceDefinitions.map(({ kind }) => kind).join(', ')} (default: ${standardKinds.join(', ')}, and those that --${textParameters.map(({ flag }) => flag).join(' and --')} write).`,
  value: { type: 'text' },
};

/** `two-heads compare`: the same prompt under several scenarios. */
export const compareCommand: Command = {
  usage: 'compare <file>',
  description: 'run a prompt under several scenarios',
  options: [...textOptions, ...numberOptions, ...commonOptions, ...sourceOptions, jsonOption, scenariosOption],
  run: async ([file], given, io) => {
    const wanted = scenariosFrom(given);
    const options = { ...valuesOf(optionTable, given), scenario: wanted.scenarios[0] };
    refuseIdleSeparator(given, wanted.scenarios, options);
    refuseIdle(commonOptions, given, options);
    const planned = await planComparison(await readPrompt(file, io.stdin, await sourceFrom(given)), wanted, options, io);
    planned.refused.forEach(({ scenario, reason }) => io.stderr.write(`${scenarioLabel(scenario)} is left out: ${reason}\n`));
    const comparison = await compare(planned, options, {
      signal: io.signal,
      progressOf: (scenario) => progressPrinter(io, scenarioLabel(scenario)),
    });
    print(io, given, comparison, () => comparisonText(comparison.runs));
    const failing = comparison.runs.find(({ verdict }) => verdict.kind === 'failed');
    if (failing !== undefined) {
      failOn(failing.verdict, `The run under ${scenarioLabel(failing.scenario)}`);
    }
  },
};

/** The scenarios that are named, or those that stand side by side unasked and what the user wrote. @throws InputError */
function scenariosFrom(given: Given): WantedScenarios {
  const named = textGiven(scenariosOption, given);
  const written = textParameters.filter(({ flag }) => given[flag] !== undefined);
  const kinds =
    named === undefined
      ? [...standardKinds, ...written.map(({ name }) => kindsWith(name)[0])]
      : named.split(',').map((kind) => kind.trim());
  if (new Set(kinds).size !== kinds.length) {
    throw new InputError(`--scenarios ${named} names one scenario twice; name each once.`);
  }
  for (const { name, flag } of written) {
    const takers = kindsWith(name);
    if (!takers.some((kind) => kinds.some((own) => own === kind))) {
      throw new InputError(`${flagText(flag, given)} does nothing under ${kinds.join(', ')}; leave it out or name ${takers.join(' or ')}.`);
    }
  }
  return { scenarios: kinds.map((kind) => choiceFrom(kind, given)), named: named !== undefined };
}

/** Several runs of one prompt, a line each. */
function comparisonText(runs: readonly RunReport[]): string {
  const trained = runs.find(({ quality }) => quality?.byTraining)?.quality?.byTraining?.trainedTokens;
  const apart = trained === undefined ? [] : [`KL within ${formatCount(trained)}`, `KL past ${formatCount(trained)}`];
  const isTouched = runs.some(({ quality }) => quality?.touched);
  const touched = isTouched ? ['KL touched'] : [];
  const scored = runs.find(({ quality }) => quality?.score !== undefined)?.quality;
  const compared = table(
    [
      'scenario',
      'calls',
      'attention',
      'bound',
      'time',
      'max abs error',
      'verdict',
      'perplexity',
      'baseline',
      'mean KL',
      ...touched,
      ...apart,
    ],
    runs.map(({ scenario, plan, run, fidelity, quality, verdict }) => [
      scenarioLabel(scenario),
      formatCount(run.calls.total),
      formatCount(run.calls.attention),
      formatCount(plan.bound.calls),
      formatDuration(run.wallMs),
      fidelity === null ? '-' : formatError(fidelity.maxAbsError),
      verdictName(verdict.kind),
      quality === null ? '-' : formatFigure(quality.perplexity),
      ...(quality === null
        ? ['-', '-']
        : quality.ownBaseline === true
          ? ['itself', '-']
          : [formatFigure(quality.baselinePerplexity), formatFigure(quality.meanKl)]),
      ...(isTouched ? [quality?.touched ? formatFigure(quality.touched.meanKl) : '-'] : []),
      ...(trained === undefined
        ? []
        : [quality?.byTraining?.within, quality?.byTraining?.past].map((part) =>
            part === undefined || quality?.ownBaseline === true ? '-' : formatFigure(part.meanKl),
          )),
    ]),
  );
  return [
    compared,
    ...(scored?.score === undefined ? [] : [`scored: ${scoreText(scored.score, scored.positions)}`]),
    ...runs.map(({ scenario, verdict }) => `${scenarioLabel(scenario)}: ${verdictText(verdict)}`),
    ...new Set(runs.flatMap(noteLines)),
  ].join('\n');
}

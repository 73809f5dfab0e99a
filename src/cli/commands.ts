import { InputError, messageOf } from '../core/errors';
import { makeScenario, scenarioLabel, standardKinds, type Scenario } from '../core/scenario/scenario';
import type { SimulationOptions } from '../core/options/options';
import { makePlan } from '../core/plan/plan';
import { planRequest } from '../core/plan/request';
import { reportSchemaVersion, type ComparisonReport, type RunReport } from '../core/report/report';
import { planDocument, planPrompt, type Places } from '../engine/tasks/plan';
import { type Prompt, readPrompt } from '../engine/read/prompt';
import { simulate } from '../engine/tasks/simulate';
import { checkWritable, writeWhole } from './files';
import { commonOptions, optionsFrom, parametersFrom, type Flags } from './flags';
import { print } from './print';
import { progressPrinter } from './progress';
import { comparisonText, planText, runText } from './text';

/** What the commands need from the process. */
export interface Surroundings extends Places {
  /** Aborted by an interrupt. */
  readonly signal: AbortSignal;
}

/** `two-heads plan`: what the prompt costs, without a run. */
export async function planCommand(file: string, flags: Flags, surroundings: Surroundings): Promise<void> {
  const options = optionsFrom(flags);
  const document = planDocument(await planPrompt(await readPrompt(file), options, surroundings));
  print(flags, document, () => planText(document));
}

/** `two-heads simulate`: runs the prompt and proves the result. */
export async function simulateCommand(file: string, flags: Flags & { readonly out?: string }, surroundings: Surroundings): Promise<void> {
  const options = optionsFrom(flags);
  if (flags.out !== undefined) {
    await checkWritable(flags.out);
  }
  const prompt = await readPrompt(file);
  const report = await simulate(prompt, options, { ...surroundings, onProgress: progressPrinter(process.stderr, 'simulate') });
  if (flags.out !== undefined) {
    await writeWhole(flags.out, `${JSON.stringify(report, null, 2)}\n`);
    process.stderr.write(`report written to ${flags.out}\n`);
  }
  print(flags, report, () => runText(report));
}

/** `two-heads compare`: the same prompt under several scenarios. */
export async function compareCommand(
  file: string,
  flags: Flags & { readonly scenarios?: string },
  surroundings: Surroundings,
): Promise<void> {
  const scenarios = scenariosFrom(flags);
  const common = commonOptions(flags);
  const prompt = await readPrompt(file);
  const { possible, refused } = await sortScenarios(prompt, scenarios, common, surroundings);
  // A scenario that the user named is not left out.
  if (refused.length > 0 && (flags.scenarios !== undefined || possible.length === 0)) {
    throw new InputError(refused[0].reason);
  }
  refused.forEach(({ scenario, reason }) => process.stderr.write(`${scenarioLabel(scenario)} is left out: ${reason}\n`));
  const runs: RunReport[] = [];
  for (const scenario of possible) {
    const onProgress = progressPrinter(process.stderr, scenarioLabel(scenario));
    runs.push(await simulate(prompt, { ...common, scenario }, { ...surroundings, onProgress }));
  }
  const [first] = runs;
  const comparison: ComparisonReport = { schemaVersion: reportSchemaVersion, prompt: first.prompt, model: first.model, runs, refused };
  print(flags, comparison, () => comparisonText(runs));
}

/** The scenarios that a prompt can have under these options, and the others with why; nothing is run for it. */
async function sortScenarios(
  prompt: Prompt,
  scenarios: readonly Scenario[],
  options: SimulationOptions,
  places: Places,
): Promise<{ possible: Scenario[]; refused: { scenario: Scenario; reason: string }[] }> {
  const { plan } = await planPrompt(prompt, { ...options, scenario: { kind: 'full' } }, places);
  const possible: Scenario[] = [];
  const refused: { scenario: Scenario; reason: string }[] = [];
  for (const scenario of scenarios) {
    try {
      makePlan(planRequest(plan.tokens, plan.model, { ...options, scenario }));
      possible.push(scenario);
    } catch (error) {
      refused.push({ scenario, reason: messageOf(error) });
    }
  }
  return { possible, refused };
}

function scenariosFrom(flags: Flags & { readonly scenarios?: string }): Scenario[] {
  const kinds = flags.scenarios === undefined ? standardKinds : flags.scenarios.split(',').map((kind) => kind.trim());
  if (new Set(kinds).size !== kinds.length) {
    throw new InputError(`--scenarios ${flags.scenarios} names one scenario twice; name each once.`);
  }
  return kinds.map((kind) => makeScenario(kind, parametersFrom(flags)));
}

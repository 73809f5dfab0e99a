import { createHash } from 'node:crypto';
import { makePlan, summarise } from '../../src/core/plan/plan';
import { planRequest } from '../../src/core/plan/request';
import { InputError } from '../../src/core/errors';
import { type ComparisonReport, reportSchemaVersion, type RunReport } from '../../src/core/report/report';
import { worstVerdict } from '../../src/core/report/verdict';
import type { Scenario } from '../../src/core/scenario/scenario';
import { nativeScenario } from '../../src/core/shapes';
import { openModel } from '../../src/engine/read/model/load';
import { PromptTokenizer } from '../../src/engine/read/tokenizer/tokenizer';
import type { EngineCall } from './host';
import { modelsFolder } from './paths';
import { reportOf } from './reports';

/** What the engine would report of a call, with a real digest and plan; its measurements are made up. */
export async function reportFor({ argument }: Pick<EngineCall<'simulate'>, 'argument'>, date?: string): Promise<RunReport> {
  const { path, text, options } = argument;
  const { config, folder } = await openModel(options.model, modelsFolder);
  const { tokens } = (await PromptTokenizer.load(folder)).index(text);
  const scenario = options.scenario.kind === 'native' ? nativeScenario(config.shape) : options.scenario;
  const {
    oracle,
    construction,
    scenario: planned,
    ...figures
  } = summarise(makePlan(planRequest(tokens, config.shape, { ...options, scenario })));
  const report = reportOf({ path, ...(date === undefined ? {} : { date }) });
  return {
    ...report,
    prompt: { path, bytes: Buffer.byteLength(text), sha256: createHash('sha256').update(text).digest('hex'), tokens },
    model: { ...report.model, name: options.model, shape: config.shape },
    scenario: planned,
    oracle,
    construction,
    plan: { ...report.plan, ...figures },
  };
}

/** Hands over the runs of a comparison that the prompt can have, one after another, and then the result, as the engine would. */
export async function finishComparison(call: EngineCall<'compare'>): Promise<ComparisonReport> {
  const { path, text, scenarios, options } = call.argument;
  const runs: RunReport[] = [];
  const refused: { scenario: Scenario; reason: string }[] = [];
  for (const choice of scenarios) {
    const scenario = choice as Scenario;
    try {
      const report = await reportFor({ argument: { path, text, options: { ...options, scenario } } });
      call.run(report);
      runs.push(report);
    } catch (error) {
      if (!(error instanceof InputError)) {
        throw error;
      }
      refused.push({ scenario, reason: error.message });
    }
  }
  const [{ prompt, model }] = runs;
  const verdict = worstVerdict(runs.map((run) => run.verdict));
  const comparison: ComparisonReport = { schemaVersion: reportSchemaVersion, prompt, model, runs, verdict, refused };
  call.resolve(comparison);
  return comparison;
}

import { advisedRuns, adviseDefaults } from '../../core/advise/options';
import { type AdviceReport, bestUniform } from '../../core/advise/report';
import { type AtlasReport, atlasOptionNames } from '../../core/atlas/report';
import type { WantedScenarios } from '../../core/compare/sort-scenarios';
import { InputError } from '../../core/errors';
import { usualContext } from '../../core/evaluate/experiment';
import { formatCount, formatDuration, formatError, formatFigure, formatNumberOf, formatShare } from '../../core/format';
import { greedy } from '../../core/generate/choose';
import { calibrationNotes } from '../../core/hints/expected';
import { messageShown, t } from '../../core/l10n';
import { defaultLedgerOptions, type LedgerReport } from '../../core/ledger/report';
import { pick } from '../../core/options/option';
import { defaultOptions, type SimulationOptions } from '../../core/options/table';
import type { ContinuationRecord } from '../../core/record/record';
import type { ComparisonReport, RunReport } from '../../core/report/report';
import { reasonShown } from '../../core/report/verdict-words';
import { comparedKinds, makeScenario, scenarioLabel } from '../../core/scenario/scenario';
import type { ChoiceStore } from '../choice';
import type { Calibrations } from '../prompts/calibrations';
import type { Planner } from '../prompts/planner';
import { showWarning } from '../notify';
import type { RunHistory } from '../runs/run-history';
import { engineSettings, threadsSetting } from '../settings';
import type { Engine } from './engine';
import { originOf, type RunSource } from './run-source';
import { agreesToWait, type SingleTask, type Step } from './single-task';

/** Runs prompts and the ledger in the engine process, one task at a time, and keeps what they give. */
export class Runner {
  constructor(
    private readonly engine: Engine,
    private readonly task: SingleTask,
    private readonly choices: ChoiceStore,
    private readonly history: RunHistory,
    private readonly calibrations: Calibrations,
    private readonly planner: Planner,
  ) {}

  /** Runs a prompt under the chosen scenario. */
  async simulate(source: RunSource): Promise<void> {
    await this.runOnce(source, () => this.optionsOf(this.choice()));
  }

  /** Runs a prompt with the options of an earlier run. */
  async rerun(source: RunSource, options: SimulationOptions): Promise<void> {
    await this.runOnce(source, () => options);
  }

  /** Runs a prompt and reports the result. @param choose may throw an InputError, which is shown like that of a run */
  private async runOnce(source: RunSource, choose: () => SimulationOptions): Promise<void> {
    const report = await this.task.run(
      () => this.agreed(source, choose()),
      (begin, options) => this.call(source, options, begin(scenarioLabel(options.scenario))),
    );
    if (report !== undefined) {
      this.task.announce(() => runText(report));
    }
  }

  /**
   * Runs a prompt under every scenario, with the current parameters and block size.
   *
   * A scenario that does not fit the prompt, such as a window out of theorem 5.1's range, is left out and named.
   */
  async compare(source: RunSource): Promise<void> {
    const { kind, parameters } = this.choices.choice;
    const comparison = await this.task.run(
      async () => {
        const scenarios = comparedKinds(kind).map((compared) => makeScenario(compared, parameters));
        const options = await this.agreed(source, this.optionsOf(this.choice()), { scenarios, named: false });
        return options && { options, scenarios };
      },
      async (begin, { options, scenarios }) => {
        const { path, text, source: how } = source;
        const report = await this.engine.compare(
          { path, text, source: how, options, scenarios, named: false },
          begin(t('comparison')),
          (each) => this.keep(source, { ...options, scenario: each.scenario }, each),
        );
        await this.history.add({ kind: 'comparison', origin: originOf(source, options), report });
        return report;
      },
    );
    if (comparison !== undefined) {
      this.task.announce(() => comparisonText(comparison), 'lab');
    }
  }

  /** Continues a prompt greedily under the chosen scenario and under the model's own attention; undefined if it failed. */
  continue(source: RunSource, tokens: number): Promise<ContinuationRecord | undefined> {
    return this.task.run(
      () => {
        const options = this.optionsOf(this.choice());
        return this.agreed(source, options, { scenarios: [options.scenario, { kind: 'native' }], named: true });
      },
      async (begin, options) => {
        const { path, text, source: how } = source;
        const request = { path, text, source: how, options, generation: { ...greedy, tokens, baseline: true } };
        const report = await this.engine.call('generate', request, begin(t('continuation')));
        return this.history.add({ kind: 'continuation', origin: originOf(source, options), report });
      },
    );
  }

  /** Runs a prompt under the model's own attention, to see where it goes, and under the chosen scenario to see what that cuts off. */
  async atlas(source: RunSource): Promise<void> {
    const report = await this.task.run(
      () => {
        const { scenario, blockSize } = this.choice();
        // An atlas is of tiles and of all keys: what other options say of the run does not matter to it.
        const own = pick(engineSettings(), ...atlasOptionNames.filter((name) => name !== 'blockSize'));
        return this.agreed(source, { ...defaultOptions, ...own, scenario, blockSize });
      },
      async (begin, options) => {
        const { path, text, source: how } = source;
        const found = await this.engine.call('atlas', { path, text, source: how, options }, begin(t('where attention goes')));
        await this.history.add({ kind: 'atlas', origin: originOf(source, options), report: found });
        return found;
      },
    );
    if (report !== undefined) {
      this.task.announce(() => atlasText(report), 'lab');
    }
  }

  /** Finds the cheapest masks that keep a prompt's predictions within a limit; undefined if that failed. @param maxKl in nats */
  async advise(source: RunSource, maxKl: number): Promise<AdviceReport | undefined> {
    const report = await this.task.run(
      async () => {
        const settings = engineSettings();
        const options = { ...adviseDefaults(maxKl), ...pick(settings, 'model', 'provider', 'threads', 'memoryLimit') };
        const window = this.agreed(
          source,
          { ...settings, scenario: { kind: 'native' }, blockSize: options.blockSize, maxTokens: usualContext },
          undefined,
          advisedRuns,
        );
        return (await window) && options;
      },
      async (begin, options) => {
        const { path, text, source: how } = source;
        const found = await this.engine.call('advise', { path, text, source: how, options }, begin(t('advice')));
        await this.history.add({ kind: 'advice', origin: null, report: found });
        return found;
      },
    );
    if (report !== undefined) {
      this.task.announce(() => adviceText(report));
    }
    return report;
  }

  /** Runs every statement of the paper on a random model. Needs no prompt. */
  async runLedger(): Promise<void> {
    const report = await this.task.run(threadsSetting, async (begin, threads) => {
      const found = await this.engine.call('ledger', { ...defaultLedgerOptions, threads }, begin(t('ledger'), 'ledger'));
      await this.history.add({ kind: 'ledger', origin: null, report: found });
      return found;
    });
    if (report !== undefined) {
      this.task.announce(() => ledgerText(report));
    }
  }

  /** Calibrates the configured device, so that plans show time and memory. */
  async calibrate(): Promise<void> {
    const calibration = await this.task.run(
      () => ({ provider: engineSettings().provider, threads: threadsSetting() }),
      (begin, device) => this.engine.call('calibrate', device, begin(t('calibration'))),
    );
    if (calibration !== undefined) {
      this.calibrations.refresh();
      const { provider: calibrated, device, tookMs } = calibration;
      const done = (): string => t('Calibrated {0} ({1}) in {2}.', calibrated, device, formatDuration(tookMs));
      const why = calibrationNotes(calibration);
      if (why.length === 0) {
        this.task.announce(done);
        return;
      }
      const repeat = t('Repeat');
      void showWarning(`Two Heads: ${[done(), ...why].join(' ')}`, repeat).then((chosen) =>
        chosen === repeat ? this.calibrate() : undefined,
      );
    }
  }

  /**
   * The options, unless the user does not want to wait so long for them.
   *
   * @param wanted scenarios that are run; that of the options by default
   * @param times how often they are run
   */
  private async agreed(
    source: RunSource,
    options: SimulationOptions,
    wanted: WantedScenarios = { scenarios: [options.scenario], named: true },
    times = 1,
  ): Promise<SimulationOptions | undefined> {
    const expectedMs = await this.planner.expectedMs(source, options, wanted);
    return (await agreesToWait(expectedMs && times * expectedMs)) ? options : undefined;
  }

  /** The current scenario and block size. @throws InputError for an invalid choice */
  private choice(): Pick<SimulationOptions, 'scenario' | 'blockSize'> {
    const choice = this.choices.read();
    if (choice.error !== null) {
      throw new InputError(choice.error);
    }
    return choice;
  }

  /** The settings combined with a scenario and a block size. @throws InputError for an invalid setting */
  private optionsOf({ scenario, blockSize }: Pick<SimulationOptions, 'scenario' | 'blockSize'>): SimulationOptions {
    return { ...engineSettings(), scenario, blockSize };
  }

  private async call(source: RunSource, options: SimulationOptions, step: Step): Promise<RunReport> {
    const { path, text, source: how } = source;
    const report = await this.engine.call('simulate', { path, text, source: how, options }, step);
    await this.keep(source, options, report);
    return report;
  }

  private async keep(source: RunSource, options: SimulationOptions, report: RunReport): Promise<void> {
    await this.history.add({ kind: 'run', origin: originOf(source, options), report });
  }
}

function runText({ prompt, run, fidelity, quality, verdict }: RunReport): string {
  if (verdict.kind === 'failed') {
    return t('The run failed: {0}', reasonShown(verdict.reason));
  }
  const figures = [formatNumberOf(prompt.tokens, 'token'), formatDuration(run.wallMs), formatNumberOf(run.calls.total, 'call')];
  const ran =
    fidelity === null
      ? t('{0} in {1}: {2}.', ...figures)
      : t('{0} in {1}: {2}, max abs error {3}.', ...figures, formatError(fidelity.maxAbsError));
  return quality === null || quality.ownBaseline === true ? ran : `${ran} ${t('Mean KL: {0} nats.', formatFigure(quality.meanKl))}`;
}

function comparisonText({ prompt, runs, refused }: ComparisonReport): string {
  const failed = runs.filter(({ verdict }) => verdict.kind === 'failed').map(({ scenario }) => scenarioLabel(scenario));
  const compared = [
    t('Compared {0} on {1}.', formatNumberOf(runs.length, 'scenario'), formatNumberOf(prompt.tokens, 'token')),
    ...(failed.length === 0 ? [] : [t('Failed: {0}.', failed.join(', '))]),
    ...standoutText(runs),
  ].join(' ');
  if (refused.length === 0) {
    return compared;
  }
  const labels = refused.map(({ scenario }) => scenarioLabel(scenario)).reduce((one, other) => t('{0} and {1}', one, other));
  return `${compared} ${t('Skipped {0}: {1}', labels, [...new Set(refused.map(({ reason }) => messageShown(reason)))].join(' '))}`;
}

/** Which runs of a comparison stand out, by kind, of which it has one each; none of fewer than two that did not fail. */
function standoutText(runs: readonly RunReport[]): readonly string[] {
  const right = runs.filter(({ verdict }) => verdict.kind !== 'failed');
  if (right.length < 2) {
    return [];
  }
  const fastest = leastBy(right, ({ run }) => run.wallMs);
  const fewest = leastBy(right, ({ run }) => run.calls.total);
  // From itself, the model's own attention does not differ.
  const masked = right.flatMap(({ scenario, quality }) =>
    quality === null || quality.ownBaseline === true || !Number.isFinite(quality.meanKl) ? [] : [{ scenario, kl: quality.meanKl }],
  );
  const found = [fastest.scenario.kind, formatDuration(fastest.run.wallMs), fewest.scenario.kind, formatCount(fewest.run.calls.total)];
  if (masked.length === 0) {
    return [t('Fastest: {0}, {1}; fewest calls: {2}, {3}.', ...found)];
  }
  const best = leastBy(masked, ({ kl }) => kl);
  return [
    t('Fastest: {0}, {1}; fewest calls: {2}, {3}; least mean KL: {4}, {5} nats.', ...found, best.scenario.kind, formatFigure(best.kl)),
  ];
}

/** The first of those with the least value. @param items at least one */
function leastBy<T>(items: readonly T[], valueOf: (item: T) => number): T {
  return items.reduce((least, each) => (valueOf(each) < valueOf(least) ? each : least));
}

function ledgerText({ rows }: LedgerReport): string {
  const exceeding = rows.filter(({ verdict }) => verdict === 'failed').length;
  const vacuous = rows.filter(({ verdict }) => verdict === 'vacuous').length;
  const count = formatNumberOf(rows.length, 'row');
  return exceeding === 0
    ? vacuous === 0
      ? t('Ledger of {0}: all exact or within their stated errors.', count)
      : t('Ledger of {0}: none beyond its stated error, which promises nothing in {1}.', count, formatNumberOf(vacuous, 'row'))
    : t('Ledger of {0}: {1} beyond the stated error.', count, formatNumberOf(exceeding, 'row'));
}

function adviceText(report: AdviceReport): string {
  const { answer, options, verdict } = report;
  if (verdict.kind === 'failed') {
    return t('The run failed: {0}', reasonShown(verdict.reason));
  }
  if (answer === null) {
    return t('No mask was found that keeps the mean KL within {0}.', options.maxKl);
  }
  const found = t(
    'Masks with {0} of the attention calls and {1} of the time keep the mean KL at {2}.',
    formatShare(answer.share),
    formatShare(answer.measuredMs / answer.causalMs),
    formatFigure(answer.kl.value),
  );
  const uniform = bestUniform(report);
  return uniform === undefined ? found : `${found} ${t('The best uniform window as cheap has {0}.', formatFigure(uniform.kl.value))}`;
}

function atlasText({ prompt, atlas: { cut } }: AtlasReport): string {
  const measured = t('Measured where the attention of {0} goes.', formatNumberOf(prompt.tokens, 'token'));
  return cut === null ? measured : `${measured} ${t('{0} cuts off {1} of it.', scenarioLabel(cut.scenario), formatShare(cut.share))}`;
}

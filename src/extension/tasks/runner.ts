import { InputError } from '../../core/errors';
import { formatDuration, formatError, formatNumberOf } from '../../core/format';
import { greedy } from '../../core/generate/choose';
import type { GenerationReport } from '../../core/generate/report';
import { calibrationNotes } from '../../core/hints/expected';
import { t } from '../../core/l10n';
import { defaultLedgerOptions, type LedgerReport } from '../../core/ledger/report';
import type { SimulationOptions } from '../../core/options/table';
import type { ComparisonReport, RunReport } from '../../core/report/report';
import { makeScenario, scenarioLabel, comparedKinds } from '../../core/scenario/scenario';
import type { ChoiceStore } from '../choice';
import type { Calibrations } from '../prompts/calibrations';
import { showWarning } from '../notify';
import type { Latest } from '../runs/latest';
import type { RunHistory } from '../runs/run-history';
import { engineSettings, threadsSetting } from '../settings';
import type { Engine } from './engine';
import type { RunSource } from './run-source';
import type { SingleTask, Step } from './single-task';

/** Runs prompts and the ledger in the engine process, one task at a time. */
export class Runner {
  constructor(
    private readonly engine: Engine,
    private readonly task: SingleTask,
    private readonly choices: ChoiceStore,
    private readonly history: RunHistory,
    private readonly ledger: Latest<LedgerReport>,
    private readonly calibrations: Calibrations,
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
    const report = await this.task.run((begin) => {
      const options = choose();
      return this.call(source, options, begin(scenarioLabel(options.scenario)));
    });
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
    const comparison = await this.task.run((begin) => {
      const options = this.optionsOf(this.choice());
      const { kind, parameters } = this.choices.choice;
      const scenarios = comparedKinds(kind).map((compared) => makeScenario(compared, parameters));
      const { path, text, source: how } = source;
      return this.engine.compare({ path, text, source: how, options, scenarios, named: false }, begin(t('comparison')), (report) =>
        this.keep(source, { ...options, scenario: report.scenario }, report),
      );
    });
    if (comparison !== undefined) {
      this.task.announce(() => comparisonText(comparison));
    }
  }

  /** Continues a prompt greedily under the chosen scenario and under the model's own attention; undefined if it failed. */
  continue({ path, text, source }: RunSource, tokens: number): Promise<GenerationReport | undefined> {
    return this.task.run((begin) => {
      const request = { path, text, source, options: this.optionsOf(this.choice()), generation: { ...greedy, tokens, baseline: true } };
      return this.engine.call('generate', request, begin(t('continuation')));
    });
  }

  /** Runs every statement of the paper on a random model. Needs no prompt. */
  async runLedger(): Promise<void> {
    const report = await this.task.run((begin) =>
      this.engine.call('ledger', { ...defaultLedgerOptions, threads: threadsSetting() }, begin(t('ledger'), 'ledger')),
    );
    if (report !== undefined) {
      this.ledger.set(report);
      this.task.announce(() => ledgerText(report));
    }
  }

  /** Calibrates the configured device, so that plans show time and memory. */
  async calibrate(): Promise<void> {
    const { provider } = engineSettings();
    const calibration = await this.task.run((begin) =>
      this.engine.call('calibrate', { provider, threads: threadsSetting() }, begin(t('calibration'))),
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

  private keep({ uri, selection, at }: RunSource, options: SimulationOptions, report: RunReport): Promise<void> {
    return this.history.add(report, { uri, selection, at, options });
  }
}

function runText({ prompt, run, fidelity, verdict }: RunReport): string {
  if (verdict.kind === 'failed') {
    return t('The run failed: {0}', verdict.reason);
  }
  const figures = [formatNumberOf(prompt.tokens, 'token'), formatDuration(run.wallMs), formatNumberOf(run.calls.total, 'call')];
  return fidelity === null
    ? t('{0} in {1}: {2}.', ...figures)
    : t('{0} in {1}: {2}, max abs error {3}.', ...figures, formatError(fidelity.maxAbsError));
}

function comparisonText({ prompt, runs, refused }: ComparisonReport): string {
  const failed = runs.filter(({ verdict }) => verdict.kind === 'failed').map(({ scenario }) => scenarioLabel(scenario));
  const compared = [
    t('Compared {0} on {1}.', formatNumberOf(runs.length, 'scenario'), formatNumberOf(prompt.tokens, 'token')),
    ...(failed.length === 0 ? [] : [t('Failed: {0}.', failed.join(', '))]),
  ].join(' ');
  if (refused.length === 0) {
    return compared;
  }
  const labels = refused.map(({ scenario }) => scenarioLabel(scenario)).reduce((one, other) => t('{0} and {1}', one, other));
  return `${compared} ${t('Skipped {0}: {1}', labels, [...new Set(refused.map(({ reason }) => reason))].join(' '))}`;
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

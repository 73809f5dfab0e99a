import { choiceLines } from '../../src/core/chosen/report';
import { checkedRows } from '../../src/core/report/checked-rows';
import { formatBytes, formatCount, formatShare } from '../../src/core/format';
import type { CallCounts } from '../../src/core/plan/cost';
import { memoryDetail } from '../../src/core/predict/memory';
import type { MeasuredCalls, PositionsQuality, QualityByTraining, RunReport } from '../../src/core/report/report';
import { isSampled } from '../../src/core/scenario/scenario';
import type { PanelSnapshot } from '../../src/protocol/panel';
import { element, setText, setVisible } from '../dom';
import type { Host } from '../host';
import { messageShown, t } from '../l10n';
import type { ThemeWatcher } from '../theme';
import { tallSection, type View } from '../ui/section';
import { bytes, count, duration, estimate, errorSize, figure, nothing, words } from '../ui/shown';
import { DataTable, Figures, type Row } from '../ui/tables';
import { VerdictLine } from '../ui/verdict';
import { LayerChart } from './layers';
import { PhaseChart } from './phases';
import { SamplingSummary } from './sampling';

/**
 * Two results that must never be confused, side by side: whether the decomposition is exact, and what the mask costs in
 * quality.
 */
class FidelityAndQuality {
  readonly #fidelity = new Figures({
    maxAbs: { label: t('Max absolute error'), testId: 'fidelity-max-abs-error', title: t('Largest difference of an output component') },
    maxRel: { label: t('Max relative error'), testId: 'fidelity-max-rel-error', title: t('Relative to the exact row’s largest component') },
    normaliser: { label: t('Log-normaliser error'), testId: 'fidelity-log-normaliser-error', title: t('Natural logarithm') },
    rows: {
      label: t('Rows checked'),
      testId: 'fidelity-rows',
      title: t('By a probe that goes through the same calls, and against float64 attention of every head and layer'),
    },
    reference: { label: t('Reference'), testId: 'fidelity-reference' },
  });
  readonly #unverified = element('p', { 'data-testid': 'fidelity-none' }, t('This run was not verified.'));
  readonly #choice = element('p', { class: 'note' });
  readonly #sampling = element('p', { class: 'note' }, t('Average case estimates full attention, so this is the error of sampling.'));
  readonly #quality = new Figures({
    perplexity: { label: t('Perplexity'), testId: 'quality-perplexity', title: t('Under this scenario') },
    baseline: { label: t('Perplexity, full causal'), testId: 'quality-baseline-perplexity' },
    meanKl: {
      label: t('Mean KL, nats'),
      testId: 'quality-mean-kl',
      title: t('KL(the model’s own attention || this scenario) of the next token'),
    },
    agreement: {
      label: t('Same top token'),
      testId: 'quality-top-agreement',
      title: t('Share of positions at which both have the same most likely next token'),
    },
    positions: { label: t('Predictions scored'), testId: 'quality-positions' },
    touched: {
      label: t('Mean KL where touched, nats'),
      testId: 'quality-touched',
      title: t('At the positions alone where the mask hides a key that the model’s own attention shows'),
    },
    bits: { label: t('Bits per byte'), testId: 'quality-bits-per-byte', title: t('Loss by the UTF-8 text that the scored tokens cover') },
  });
  readonly #byTraining = new DataTable(
    t('Quality within and past the trained length'),
    [
      { title: t('Tokens read') },
      { title: t('Perplexity'), numeric: true },
      { title: t('Perplexity, full causal'), numeric: true },
      { title: t('Mean KL, nats'), numeric: true },
      { title: t('Same top token'), numeric: true },
    ],
    { 'data-testid': 'quality-by-training' },
  );
  readonly #note = element('p', { 'data-testid': 'quality-note' });
  readonly element = element(
    'div',
    { class: 'pair' },
    element(
      'section',
      { class: 'subsection', 'aria-label': t('Fidelity') },
      element('h3', {}, t('Fidelity')),
      element(
        'p',
        { class: 'note' },
        t('Fidelity is how close the simulated attention is to exact float64 attention under the same mask.'),
      ),
      this.#sampling,
      this.#choice,
      this.#fidelity.element,
      this.#unverified,
    ),
    element(
      'section',
      { class: 'subsection', 'aria-label': t('Quality') },
      element('h3', {}, t('Quality')),
      element(
        'p',
        { class: 'note' },
        t('Quality is how the mask changes the model’s predictions, compared with its own attention (full causal attention for a Llama).'),
      ),
      this.#quality.element,
      this.#byTraining.element,
      this.#note,
    ),
  );

  /** Shows the results of a run. */
  show({ prompt, fidelity, choice, quality, qualityNote, scenario }: RunReport): void {
    setVisible(this.#fidelity.element, fidelity !== null);
    setVisible(this.#unverified, fidelity === null);
    setVisible(this.#sampling, isSampled(scenario));
    setVisible(this.#choice, choice !== undefined);
    setText(this.#choice, choice === undefined ? '' : choiceLines(choice).join('; '));
    if (fidelity !== null) {
      this.#fidelity.update({
        maxAbs: errorSize(fidelity.maxAbsError),
        maxRel: errorSize(fidelity.maxRelError),
        normaliser: errorSize(fidelity.logNormaliserError),
        rows: words(checkedRows(fidelity, prompt.tokens)),
        reference: words(fidelity.reference),
      });
    }
    setVisible(this.#quality.element, quality !== null);
    setVisible(this.#byTraining.element, quality?.byTraining !== undefined);
    if (quality?.byTraining) {
      this.#byTraining.update(sidesOf(quality.byTraining, quality.ownBaseline === true));
    }
    setVisible(this.#note, quality === null);
    setText(this.#note, qualityNote === null ? t('Quality was not measured in this run.') : messageShown(qualityNote));
    if (quality !== null) {
      this.#quality.update({
        perplexity: figure(quality.perplexity),
        baseline: quality.ownBaseline === true ? words(t('its own baseline')) : figure(quality.baselinePerplexity),
        meanKl: quality.ownBaseline === true ? null : figure(quality.meanKl),
        agreement: quality.ownBaseline === true ? null : words(formatShare(quality.topAgreement)),
        positions: words(
          quality.score === undefined || quality.score === 'all'
            ? formatCount(quality.positions)
            : `${formatCount(quality.positions)} (${quality.score})`,
        ),
        touched: quality.touched ? figure(quality.touched.meanKl) : words(messageShown(quality.touchedNote ?? '-')),
        bits: typeof quality.bitsPerByte === 'number' ? figure(quality.bitsPerByte) : words(messageShown(quality.sizeNote ?? '-')),
      });
    }
  }
}

/** A row for each side of the trained length. */
function sidesOf({ trainedTokens, within, past }: QualityByTraining, ownBaseline: boolean): Row[] {
  const row = (title: string, { perplexity, baselinePerplexity, meanKl, topAgreement }: PositionsQuality): Row => ({
    cells: [
      words(title),
      figure(perplexity),
      ...(ownBaseline
        ? [words(t('its own baseline')), nothing, nothing]
        : [figure(baselinePerplexity), figure(meanKl), words(formatShare(topAgreement))]),
    ],
  });
  return [row(t('up to {0}, as trained', formatCount(trainedTokens)), within), row(t('past {0}', formatCount(trainedTokens)), past)];
}

/** The newest run of the current prompt and options: where it ran, how long it took, how exact it is. */
export class LastRun implements View {
  readonly element: HTMLDetailsElement;
  readonly #empty = element(
    'p',
    { class: 'note', 'data-testid': 'last-run-empty' },
    t('This prompt has not been run with these options yet. Choose Simulate to run it.'),
  );
  readonly #figures = new Figures({
    construction: { label: t('Construction'), testId: 'run-construction', title: t('How the small transformer was called') },
    wall: { label: t('Wall time'), testId: 'wall-time', title: t('From tokens in memory to the last layer’s output') },
    expected: {
      label: t('Wall time, expected'),
      testId: 'run-expected',
      title: t('Predicted before the run, from this machine’s calibration'),
    },
    memory: { label: t('Peak memory'), testId: 'peak-memory', title: t('Highest resident set of the process during the run') },
    provider: { label: t('Provider'), testId: 'provider' },
    threads: { label: t('Threads'), testId: 'threads' },
    device: { label: t('Device'), testId: 'device' },
  });
  readonly #calls = new DataTable(
    t('Calls, planned and measured'),
    [{ title: t('Calls') }, { title: t('Planned'), numeric: true }, { title: t('Measured'), numeric: true }],
    { 'data-testid': 'calls-measured' },
  );
  readonly #phases: PhaseChart;
  readonly #layers: LayerChart;
  readonly #verdict = new VerdictLine('run-verdict');
  readonly #accuracy = new FidelityAndQuality();
  readonly #sampling = new SamplingSummary('run-sampling');
  readonly #body: HTMLElement;

  constructor(host: Host, theme: ThemeWatcher) {
    this.#phases = new PhaseChart(host, theme);
    this.#layers = new LayerChart(host, theme);
    const calls = element('div', { class: 'subsection' }, element('h3', {}, t('Calls, planned and measured')), this.#calls.element);
    this.#body = element(
      'div',
      { 'data-testid': 'last-run' },
      this.#verdict.element,
      this.#figures.element,
      this.#accuracy.element,
      this.#sampling.element,
      this.#phases.element,
      this.#layers.element,
      calls,
    );
    this.element = tallSection(host, 'last-run', t('Last run'), false, this.#empty, this.#body);
  }

  update({ document, runs }: PanelSnapshot): void {
    const report = runs.find(({ current }) => current)?.report;
    setVisible(this.element, document !== null);
    setVisible(this.#empty, report === undefined);
    setVisible(this.#body, report !== undefined);
    if (report !== undefined) {
      this.#show(report);
    }
  }

  #show(report: RunReport): void {
    const { run, plan } = report;
    this.#verdict.show(report.verdict);
    this.#figures.update({
      construction: words(report.construction),
      wall: duration(run.wallMs),
      expected: report.prediction === null ? null : estimate(report.prediction.wallMs, report.prediction.interval),
      memory: {
        ...bytes(run.peakRssBytes),
        detail: run.memory && t('expected {0} = {1}', formatBytes(run.memory.peak), memoryDetail(run.memory)),
      },
      provider: words(run.provider),
      threads: run.threads > 0 ? count(run.threads) : { text: t('automatic'), value: run.threads },
      device: words(run.device, run.device),
    });
    this.#phases.show(report);
    this.#layers.show(report);
    this.#accuracy.show(report);
    setVisible(this.#sampling.element, report.sampling !== null);
    if (report.sampling !== null) {
      this.#sampling.show(report.sampling);
    }
    this.#calls.update(callRows(plan.calls, run.calls));
  }
}

/**
 * Planned and measured calls. A plan does not foresee retries, which are attention calls; all other calls must match the
 * plan.
 */
function callRows(planned: CallCounts, made: MeasuredCalls): readonly Row[] {
  const differs = { total: made.total - made.retries !== planned.total, attention: made.attention - made.retries !== planned.attention };
  const row = (name: keyof CallCounts, title: string, wrong: boolean): Row => ({
    cells: [words(title), count(planned[name]), { ...count(made[name]), testId: `measured-${name}` }],
    attributes: { class: wrong ? 'differs' : null },
  });
  const unplanned = (name: 'retries' | 'dispatches', title: string): Row => ({
    cells: [words(title), nothing, { ...count(made[name]), testId: name }],
    attributes: { class: null },
  });
  return [
    row('total', t('All'), differs.total),
    row('attention', t('Attention'), differs.attention),
    row('tokenwise', t('Token-wise'), made.tokenwise !== planned.tokenwise),
    row('perLayer', t('Per layer'), differs.total),
    ...(made.retries > 0 ? [unplanned('retries', t('Attention calls repeated because the reference score was too far off'))] : []),
    unplanned('dispatches', t('Native run() calls')),
  ];
}

import { formatNumberOf } from '../../../core/format';
import type { LedgerOptions, LedgerReport, LedgerRow } from '../../../core/ledger/report';
import type { OnProgress } from '../../../core/report/phases';
import { reportSchemaVersion } from '../../../core/report/report';
import { sampledVerdict } from '../../../core/report/verdict';
import { openDevice } from '../../attend/runtime/provider';
import { describeEnvironment } from '../../machine';
import { converseRow } from './converse-row';
import { ledgerRow, ledgerStatements, planStatement } from './row';
import { samplingTrial } from './sampling-trial';

/** What surrounds a ledger. */
interface LedgerContext {
  readonly signal: AbortSignal;
  readonly onProgress: OnProgress;
}

/** Share of a ledger's time that its statements take; the rest is theorem 4.1 over many seeds. */
const statementsShare = 0.6;

/**
 * Runs every statement of the paper on random data, counts its calls and measures its errors.
 *
 * @throws InputError for parameters that no plan can be made of; CancelledError once the signal is aborted
 */
export async function runLedger(options: LedgerOptions, { signal, onProgress }: LedgerContext): Promise<LedgerReport> {
  // What cannot be run is refused before anything is.
  const plans = ledgerStatements(options).map((statement) => planStatement(statement, options));
  const device = await openDevice('cpu', options.threads);
  const rows: LedgerRow[] = [];
  for (const plan of plans) {
    const message = `${plan.scenario.kind}, ${plan.construction}`;
    const report = (fraction: number): void =>
      onProgress({ fraction: (statementsShare * (rows.length + fraction)) / plans.length, phase: 'attend', message });
    rows.push(await ledgerRow(plan, options, device, signal, report));
  }
  rows.push(await converseRow(options, device, signal));
  const message = `theorem 4.1 over ${formatNumberOf(options.seeds, 'seed')}`;
  const sampling = await samplingTrial(options, device, signal, (fraction) =>
    onProgress({ fraction: statementsShare + (1 - statementsShare) * fraction, phase: 'verify', message }),
  );
  onProgress({ fraction: 1, phase: 'verify', message: 'done' });
  return {
    schemaVersion: reportSchemaVersion,
    options,
    rows,
    sampling,
    samplingVerdict: sampledVerdict(sampling),
    environment: describeEnvironment(),
  };
}

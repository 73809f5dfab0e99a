import type { Command } from 'commander';
import { formatCount, formatDuration, formatError, formatFigure } from '../core/format';
import { scenarioLabel } from '../core/scenario/scenario';
import { positiveNumber, wholeNumber } from '../core/options/options';
import { maximumTokens } from '../core/plan/partition';
import { defaultLedgerOptions, type LedgerOptions, type LedgerReport, type LedgerRow } from '../core/ledger/report';
import { runLedger } from '../engine/tasks/ledger/ledger';
import { writePictures } from './pictures';
import { print } from './print';
import { progressPrinter } from './progress';
import { samplingLines } from './sampling-text';
import { table } from './text';

/** Flags of `two-heads ledger` as text. */
export interface LedgerFlags {
  readonly tokens: string;
  readonly block: string;
  readonly window: string;
  readonly sinks: string;
  readonly layers: string;
  readonly heads: string;
  readonly oracleLayers: string;
  readonly oracleHeads: string;
  readonly seed: string;
  readonly seeds: string;
  readonly scale: string;
  readonly threads: string;
  readonly pictures?: string;
  readonly json?: boolean;
}

/** Adds the flags of `two-heads ledger`. */
export function addLedgerFlags(command: Command): Command {
  const standard = defaultLedgerOptions;
  return command
    .option('--tokens <N>', 'length of the sequence', String(standard.tokens))
    .option('--block <M>', 'tokens that a call of the small transformer reads', String(standard.blockSize))
    .option('--window <r>', 'window of the sliding-window and attention-sink statements, below M', String(standard.window))
    .option('--sinks <s>', 'sinks of the attention-sink statements', String(standard.sinks))
    .option('--layers <L>', 'layers of the large transformer', String(standard.layers))
    .option('--heads <H>', 'heads of the large transformer', String(standard.heads))
    .option('--oracle-layers <n>', "layers L' of the small transformer", String(standard.oracleLayers))
    .option('--oracle-heads <n>', "heads H' of the small transformer", String(standard.oracleHeads))
    .option('--scale <x>', 'standard deviation of the scores', String(standard.scoreScale))
    .option('--seed <n>', 'seed of the random model and of the first sample', String(standard.seed))
    .option('--seeds <n>', 'samples over which theorem 4.1 is tried', String(standard.seeds))
    .option('--threads <n>', 'threads of ONNX Runtime; 0 takes every core', String(standard.threads))
    .option('--pictures <folder>', 'run nothing; draw every construction into a folder, an SVG file each')
    .option('--json', 'print one JSON document on stdout');
}

/** Options of a ledger from flags. @throws InputError that names the flag, the value and the fix */
function ledgerOptionsFrom(flags: LedgerFlags): LedgerOptions {
  return {
    tokens: wholeNumber('--tokens', flags.tokens, 1, maximumTokens),
    blockSize: wholeNumber('--block', flags.block, 2, maximumTokens),
    window: wholeNumber('--window', flags.window, 1, maximumTokens),
    sinks: wholeNumber('--sinks', flags.sinks, 0, maximumTokens),
    layers: wholeNumber('--layers', flags.layers, 1, 1024),
    heads: wholeNumber('--heads', flags.heads, 1, 4096),
    oracleLayers: wholeNumber('--oracle-layers', flags.oracleLayers, 1, 1024),
    oracleHeads: wholeNumber('--oracle-heads', flags.oracleHeads, 1, 4096),
    seed: wholeNumber('--seed', flags.seed, 0, 4_294_967_295),
    scoreScale: positiveNumber('--scale', flags.scale, 1000),
    seeds: wholeNumber('--seeds', flags.seeds, 1, 100_000),
    threads: wholeNumber('--threads', flags.threads, 0, 1024),
  };
}

/** `two-heads ledger`: every statement of the paper, run and counted, or drawn. */
export async function ledgerCommand(flags: LedgerFlags, signal: AbortSignal): Promise<void> {
  if (flags.pictures !== undefined) {
    const paths = await writePictures(flags.pictures);
    print(flags, { pictures: paths }, () => paths.join('\n'));
    return;
  }
  const options = ledgerOptionsFrom(flags);
  const report = await runLedger(options, { signal, onProgress: progressPrinter(process.stderr, 'ledger') });
  print(flags, report, () => ledgerText(report));
}

/** A ledger as a person reads it. */
function ledgerText({ options, rows, sampling }: LedgerReport): string {
  const { tokens, blockSize, layers, heads, oracleLayers, oracleHeads, scoreScale } = options;
  return [
    `Random model, N = ${formatCount(tokens)}, L = ${layers}, H = ${heads}, scores of standard deviation ${formatFigure(scoreScale)}; small transformer: M = ${formatCount(blockSize)}, L' = ${oracleLayers}, H' = ${oracleHeads}.`,
    '',
    table(
      [
        'statement',
        'construction',
        'scenario',
        'calls',
        'formula',
        'bound',
        'lower bound',
        'rounds',
        'output error',
        'log-normaliser',
        'stated',
        'verdict',
        'time',
      ],
      rows.map(cellsOf),
    ),
    '',
    'Formulas:',
    ...rows.map(({ statement, construction, exact }) => `  ${statement}, ${construction}: ${exact.formula} = ${formatCount(exact.calls)}`),
    '',
    ...samplingLines(sampling),
  ].join('\n');
}

function cellsOf(row: LedgerRow): readonly string[] {
  const { statement, construction, scenario, countedCalls, retries, exact, bound, lowerBound, rounds, stated, verdict, wallMs } = row;
  const error = (value: number | null): string => (value === null ? 'not finite' : formatError(value));
  return [
    statement,
    construction,
    scenarioLabel(scenario),
    `${formatCount(countedCalls)}${retries > 0 ? ` + ${formatCount(retries)}` : ''}`,
    formatCount(exact.calls),
    formatCount(bound.calls),
    formatCount(lowerBound),
    formatCount(rounds),
    error(row.outputError),
    row.readsNormaliser ? error(row.logNormaliserError) : '-',
    formatError(stated.error),
    verdict,
    formatDuration(wallMs),
  ];
}

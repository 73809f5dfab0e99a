import type { BlackBoxConstruction } from '../../core/construct/construction';
import { makeScenario, type LayerScenario } from '../../core/scenario/scenario';
import type { LedgerOptions } from '../../core/ledger/report';

/** A statement to be run: a scenario under a construction, on a kind of data. */
export interface LedgerStatement {
  readonly scenario: LayerScenario;
  readonly construction: BlackBoxConstruction;
  /** Whether the oracle masks causally and cannot do otherwise. */
  readonly causal: boolean;
}

/**
 * The statements of the paper that a ledger runs, each as the proof has it and in its tight form.
 *
 * @throws InputError for parameters that fit no scenario
 */
export function ledgerStatements({ window, sinks, seed }: LedgerOptions): readonly LedgerStatement[] {
  const masks: readonly Omit<LedgerStatement, 'construction'>[] = [
    { scenario: makeScenario('full'), causal: false },
    { scenario: makeScenario('causal'), causal: false },
    { scenario: makeScenario('causal'), causal: true },
    { scenario: makeScenario('sliding-window', { window }), causal: true },
    { scenario: makeScenario('attention-sink', { window, sinks }), causal: true },
    { scenario: makeScenario('average-case', { seed }), causal: false },
  ];
  return masks.flatMap((mask) => (['tight', 'paper'] as const).map((construction) => ({ ...mask, construction })));
}

import { formatError } from '../format';
import { optionTable, type OptionName } from '../options/table';
import type { RunReport } from '../report/report';
import { failed, type Verdict, worstVerdict } from '../report/verdict';
import type { Atlas } from './atlas';
import type { TokenCurves } from './by-token';

/**
 * What `atlas --json` prints: a run of a prompt under the model's own attention, and where that attention went.
 *
 * It is a run report with more in it, so that what reads runs reads it.
 */
export interface AtlasReport extends RunReport {
  readonly atlas: Atlas;
  /** Losses token by token; null where quality is. */
  readonly byToken: TokenCurves | null;
  /** The run under the scenario whose cut the atlas has, with its quality against this one; null where there is none. */
  readonly masked: RunReport | null;
}

/** The options of a simulation that an atlas leaves to be chosen: it is of tiles, of all keys, and of the model's own attention. */
export const atlasOptionNames = [
  'blockSize',
  'oracleLayers',
  'oracleHeads',
  'model',
  'provider',
  'threads',
  'verify',
  'quality',
  'baseline',
  'maxTokens',
  'memoryLimit',
] as const satisfies readonly OptionName[];

/** Those options, as the table of all has them. */
export const atlasOptions = atlasOptionNames.map((name) => optionTable[name]);

/** By how much the masses of a query block may miss 1: chosen, far above what float32 makes of a sum, far below a tile that is lost. */
const mostMassError = 1e-3;

/** The verdict on an atlas: its runs', and whether every query block's masses add up. */
export function atlasVerdict({ massError }: Pick<Atlas, 'massError'>, runs: readonly Verdict[]): Verdict {
  const lost = failed(
    mostMassError,
    massError,
    `The masses of a query block miss 1 by ${formatError(massError)}, beyond ${formatError(mostMassError)}.`,
  );
  return worstVerdict([...(massError <= mostMassError ? [] : [lost]), ...runs]);
}

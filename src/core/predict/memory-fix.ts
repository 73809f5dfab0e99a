import { isBlackBox } from '../construct/construction';
import { InputError } from '../errors';
import { formatBytes, formatCount, formatNumberOf, formatShare } from '../format';
import { said, text } from '../l10n';
import { makePlan, type Plan, planOfLength } from '../plan/plan';
import { fitsIn, leastLimit, type MemoryEstimate, memoryDetail, memoryMargin, memoryOf, type MemoryUse } from './memory';

/** The smallest block size that is proposed: smaller ones save next to nothing, and have very many tiles. */
const smallestBlock = 16;

/** The shards of a prompt, of which the largest is run. */
export interface PlannedShards {
  readonly parts: number;
  /** The plan with the highest peak of so many shards. @throws InputError where there cannot be as many */
  readonly planOf: (parts: number) => Plan;
}

/** How a command's runs are made smaller, where not as those of `simulate`. */
export interface SmallerRuns {
  /** Where the plan is of one of several shards: its length is not the prompt's, and more of them are shorter. */
  readonly shards?: PlannedShards;
  /** The flag of the length that is planned. */
  readonly length?: '--max-tokens' | '--context' | '--tokens';
  /** Whether check and quality are there whatever the flags, and the limit is the machine's. */
  readonly whole?: boolean;
}

/** The most shards that there may be. */
export const mostShards = 10_000;

/**
 * Why a run is refused for its memory: its parts, and what to change so that it fits.
 *
 * @param allowed bytes; the run does not fit in them
 */
export function memoryRefusal(plan: Plan, use: MemoryUse, memory: MemoryEstimate, allowed: number, smaller: SmallerRuns = {}): InputError {
  const size = plan.oracle.inputLength;
  const what =
    smaller.shards === undefined
      ? said`A block size of ${size}`
      : said`A block size of ${size} over the ${formatNumberOf(plan.tokens, 'token')} that a shard reads`;
  return new InputError(
    `${what} needs about ${formatBytes(leastLimit(memory))} of memory (${memoryDetail(memory)}, and ${formatShare(memoryMargin)} for what that may be off) and ${formatBytes(allowed)} may be used; ${fixOf(plan, use, allowed, smaller)}.`,
  );
}

/** Options that make a run smaller, in the order in which they are given up, each with what is left of the run. */
function leanerUses(use: MemoryUse, { whole = false }: SmallerRuns): { readonly option: string; readonly less: MemoryUse }[] {
  // A dense baseline is there for quality: without quality it is refused, so the two go together.
  const withoutDense: MemoryUse = { ...use, baseline: 'own' };
  const options: readonly (readonly [applies: boolean, option: string, less: MemoryUse])[] = [
    [!whole && use.verify === 'dense', '--verify rows', { ...use, verify: 'rows' }],
    [use.scored && use.baseline === 'dense', 'no --baseline dense', withoutDense],
    [!whole && use.scored && use.baseline !== 'dense', '--no-quality', { ...use, scored: false }],
  ];
  return options.flatMap(([applies, option, less]) => (applies ? [{ option, less }] : []));
}

/** What fixes are put together of, as `messageShown` finds them again: as the first, as another one, and before more that it takes. */
export const fixParts: readonly string[] = [
  ...[text('use no --baseline dense'), text('use --no-quality'), text('use --verify none'), text('use --verify rows')],
  ...[text('use --block {0}'), text('use {0} shards'), text('use --oracle-layers 1 and --oracle-heads 1')],
  ...[text('or no --baseline dense'), text('or --no-quality'), text('or --verify rows')],
  ...[text('or --block {0}'), text('or --oracle-layers 1 and --oracle-heads 1')],
  ...[text('use no --baseline dense and {0}'), text('use --no-quality and {0}'), text('use --verify none and {0}')],
  ...[text('no --baseline dense'), text('no --baseline dense and {0}'), text('--no-quality and {0}'), text('--verify none and {0}')],
  ...[text('--oracle-layers 1 and --oracle-heads 1'), text('{0} shards'), text('a window with which it reads no more than {0}')],
  ...[text('--max-tokens {0} and {1}'), text('--context {0} and {1}'), text('--tokens {0} and {1}')],
];

/** What to change: one option where one is enough, else several, else the prompt, else the limit. */
function fixOf(plan: Plan, use: MemoryUse, allowed: number, smaller: SmallerRuns): string {
  const { shards, length: flag = '--max-tokens', whole = false } = smaller;
  const fits = (tried: Plan, how: MemoryUse): boolean => fitsIn(memoryOf(tried, how), allowed);
  const block = largestBlock(plan, (tried) => fits(tried, use));
  const shorter = shards && moreShards(shards, (tried) => fits(tried, use));
  const oracle = fewerInstances(plan, (tried) => fits(tried, use));
  const single = [
    ...(shorter === undefined ? [] : [shorter]),
    ...(oracle === undefined ? [] : [oracle]),
    ...(block === undefined ? [] : [`--block ${block}`]),
    ...leanerUses(use, smaller).flatMap(({ option, less }) => (fits(plan, less) ? [option] : [])),
  ];
  if (single.length > 0) {
    return `use ${single.join(', or ')}`;
  }
  const alone: MemoryUse = whole ? { ...use, baseline: 'own' } : { ...use, verify: 'none', scored: false, baseline: 'own' };
  const leaner = [
    ...(use.scored && use.baseline === 'dense' ? ['no --baseline dense'] : []),
    ...(use.scored && !whole ? ['--no-quality'] : []),
    ...(use.verify === 'none' || whole ? [] : ['--verify none']),
  ];
  const using = (...more: readonly string[]): string => [...leaner, ...more].join(' and ');
  if (leaner.length > 0 && fits(plan, alone)) {
    return `use ${using()}`;
  }
  const leanShards = shards && moreShards(shards, (tried) => fits(tried, alone));
  if (leanShards !== undefined) {
    return `use ${using(leanShards)}`;
  }
  const leanBlock = leaner.length === 0 ? undefined : largestBlock(plan, (tried) => fits(tried, alone));
  if (leanBlock !== undefined) {
    return `use ${using(`--block ${leanBlock}`)}`;
  }
  const fewer = fewerInstances(plan, (tried) => fits(tried, alone));
  if (fewer !== undefined) {
    return `use ${using(fewer)}`;
  }
  const length = longestLength(plan, (tried) => fits(tried, alone));
  if (length === undefined) {
    const least = formatBytes(leastLimit(memoryOf(leastPlan(plan), alone)));
    return whole
      ? said`no run of this model fits, however short the prompt: at least ${least} must be free`
      : said`no run of this model fits, however short the prompt: at least ${least} must be free, and as much be allowed with --memory-limit`;
  }
  if (shards !== undefined) {
    const { tokens } = shortestShard(shards);
    return said`no number of shards fits, since each also reads the tokens around its own that it depends on, ${formatNumberOf(tokens, 'token')} at least: use ${using(`a window with which it reads no more than ${formatCount(length)}`)}`;
  }
  const cut = [`${flag} ${length}`, ...leaner].join(' and ');
  return flag === '--max-tokens' ? said`no block size fits: cut the prompt with ${cut}` : said`no block size fits: use ${cut}`;
}

/** The longest prompt that fits, to 1%, which a few more plans tell; undefined where none does. */
function longestLength(plan: Plan, fits: (tried: Plan) => boolean): number | undefined {
  const isFitting = (tokens: number): boolean => isPossible(() => fits(planOfLength(plan, tokens)));
  let fitting = halves(plan.tokens).find(isFitting);
  let beyond = Math.min(plan.tokens, 2 * (fitting ?? 0) + 1);
  while (fitting !== undefined && beyond - fitting > Math.max(1, fitting / 100)) {
    const tried = Math.floor((fitting + beyond) / 2);
    if (isFitting(tried)) {
      fitting = tried;
    } else {
      beyond = tried;
    }
  }
  return fitting;
}

/** The plan of the most shards that there can be, of those that are tried. */
function shortestShard({ parts, planOf }: PlannedShards): Plan {
  let shortest = planOf(parts);
  for (let tried = 2 * parts; tried <= mostShards && isPossible(() => planOf(tried).tokens < shortest.tokens); tried *= 2) {
    shortest = planOf(tried);
  }
  return shortest;
}

/** Twice as many shards, and so on: the first that fit. */
function moreShards({ parts, planOf }: PlannedShards, fits: (tried: Plan) => boolean): string | undefined {
  for (let tried = 2 * parts; tried <= mostShards; tried *= 2) {
    const count = tried;
    if (isPossible(() => fits(planOf(count)))) {
      return `${count} shards`;
    }
  }
  return undefined;
}

/** A single layer and head of a black box, where that is enough. */
function fewerInstances(plan: Plan, fits: (tried: Plan) => boolean): string | undefined {
  const { layers, heads } = plan.oracle;
  const least = { ...plan.oracle, layers: 1, heads: 1 };
  return isBlackBox(plan.construction) && layers * heads > 1 && isPossible(() => fits(makePlan({ ...plan, oracle: least })))
    ? '--oracle-layers 1 and --oracle-heads 1'
    : undefined;
}

/** The shortest plan of the same model that there can be. */
function leastPlan(plan: Plan): Plan {
  const length = halves(plan.tokens).findLast((tokens) => isPossible(() => planOfLength(plan, tokens).tokens === tokens));
  return length === undefined ? plan : planOfLength(plan, length);
}

/** The largest power of two below a plan's M with which it fits. */
function largestBlock(plan: Plan, fits: (tried: Plan) => boolean): number | undefined {
  const { inputLength } = plan.oracle;
  const first = 2 ** Math.floor(Math.log2(Math.min(inputLength, plan.tokens)));
  return [first, ...halves(first)]
    .filter((block) => block < inputLength && block >= smallestBlock)
    .find((block) => isPossible(() => fits(makePlan({ ...plan, oracle: { ...plan.oracle, inputLength: block } }))));
}

/** A count, halved again and again. */
function halves(count: number): number[] {
  return Array.from({ length: Math.floor(Math.log2(count)) }, (_, index) => Math.floor(count / 2 ** (index + 1)));
}

/** Whether something holds; a plan that there cannot be, such as of a window wider than a black box reads, does not. */
function isPossible(holds: () => boolean): boolean {
  try {
    return holds();
  } catch (error) {
    if (error instanceof InputError) {
      return false;
    }
    throw error;
  }
}

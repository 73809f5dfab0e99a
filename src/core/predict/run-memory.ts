import { causalTiles } from '../chosen/rule';
import { isBlackBox } from '../construct/construction';
import { type BlackBoxShape, callBytes, callInputBytes, type Reading, readingsOf } from '../construct/slice';
import { blackBoxLayout, callsPerDispatch, compiledScoreBytes, tilesPerDispatch } from '../plan/attention-cost';
import { tokenwiseRows } from '../plan/cost';
import { type Dispatch, dispatchesOf, inPowersOfTwo, tileRows } from '../plan/dispatches';
import { layerParts, type LayerPlan, planLayers, type Plan } from '../plan/plan';
import { tensorBytes, wholeRun } from '../plan/segments';
import { isSampled, isWritten, tileRuleOf } from '../scenario/scenario';
import { attentionWidth, type ModelShape, outputAndMlpParameters, projectionParameters, valueWidthOf } from '../shapes';
import type { PassExecutor } from './executor';

/**
 * What a pass through the layers takes beside the weights: estimated from what ONNX Runtime and V8 were seen to do (the table
 * is in docs/memory.md). All in bytes.
 */

/** Bytes of a float32 and of a float64. */
const [floatBytes, doubleBytes] = [4, 8];

/**
 * An arena keeps its largest use. The first run of a shape takes its intermediates one by one; from the second on, they are one
 * block, planned for that shape, which comes beside them.
 */
const arenaUses = 2;

/** Copies of a layer's weights while its compiled session is alive: the graph's bytes, what is read of it, the packed matrices. */
const compiledWeightCopies = 2.5;

/** Sessions of compiled layers that are alive at once: a layer's, and the one before it. */
const compiledSessions = 2;

/** The share of all results of a pass that the collector leaves for later. */
const uncollectedShare = 0.3;

/** Bytes outside V8's heap from which it collects them. */
export const mostUncollected = 64 * 1024 * 1024;

/** Distinct masks that a named scenario needs at most, and a written one. */
const mostMasks = { named: 4, written: 16 } as const;

/** Tensors of the layers that are alive at once in a run whose layers each have all tokens. */
export function liveBytes(plan: Pick<Plan, 'tokens' | 'model'>): number {
  return tensorBytes(plan.model, wholeRun(plan));
}

/**
 * Results of a pass's runs that nothing refers to any longer, before the collector acts: at most `mostUncollected` together
 * with all else that is left to it. @param inspected whether a layer's tensors are results of compiled layers, to be checked
 */
export function uncollectedBytes(plan: Plan, executor: PassExecutor, inspected: boolean): number {
  const { tokens, model } = plan;
  const { width, layers, heads } = model;
  const attended = attentionWidth(model);
  // Tile by tile, queries, keys, values and attended rows are results of runs, attended rows a second time as an operand.
  const perToken = executor === 'tiles' ? width + attended + valueWidthOf(model) * heads : width + (inspected ? attended + heads : 0);
  const graphs = executor === 'tiles' ? 0 : 2 * layerWeightBytes(plan);
  return uncollectedShare * layers * (floatBytes * tokens * perToken + graphs);
}

/** Graphs and code of a pass's sessions. */
const graphBytes = 5 * 1024 * 1024;

/** Memory that the sessions of a pass keep, beside the weights that they are given. @param plans that run on the same sessions */
export function sessionBytes(plans: readonly Plan[], executor: PassExecutor): number {
  return (
    graphBytes +
    (executor === 'tiles'
      ? Math.max(...plans.map(tokenwiseArenas)) +
        attentionArenas(plans) +
        (plans.some(({ construction }) => isBlackBox(construction)) ? youngBytes : 0)
      : compiledSessions * Math.max(...plans.map(compiledBytes)))
  );
}

/** What decides the memory of token-wise runs. */
interface TokenwiseShape extends Pick<Plan, 'tokens' | 'model'> {
  readonly oracle: Pick<Plan['oracle'], 'inputLength'>;
}

/** The intermediates of a projection run, and of an output and feed-forward run. */
export function tokenwiseArenas({ tokens, oracle, model }: TokenwiseShape): number {
  return arenaUses * tokenwiseIntermediates(model, Math.min(tokens, tokenwiseRows(oracle.inputLength)));
}

function tokenwiseIntermediates(model: Plan['model'], rows: number): number {
  const project = 4 * model.width + attentionWidth(model) - valueWidthOf(model) * model.heads;
  return floatBytes * rows * (project + 3 * model.feedForwardWidth);
}

/** Sessions of attention calls, of several plans that run on the same ones. */
export function attentionArenas(plans: readonly Plan[]): number {
  const parts = plans.flatMap((plan) => layerParts(plan).map((part) => part.plan)).filter(({ tiles }) => tiles > 0);
  const arenas = new Map<string, number>();
  for (const [index, part] of parts.entries()) {
    // Every layer's kind, in every pass, has a black box of its own; tiles share theirs.
    const own = isBlackBox(part.construction)
      ? [...blackBoxArenas(part)].map(([key, bytes]) => [`${index} ${key}`, bytes] as const)
      : tileArenas(part);
    for (const [key, bytes] of own) {
      arenas.set(key, Math.max(bytes, arenas.get(key) ?? 0));
    }
  }
  return [...arenas.values()].reduce((sum, bytes) => sum + bytes, 0);
}

/** By session, its arena: scores and weights of the stack with most tiles. */
function tileArenas(plan: LayerPlan): Map<string, number> {
  const rows = tileRows(plan);
  const arenas = new Map<string, number>();
  if (tileRuleOf(plan.scenario) !== undefined) {
    const ofTiles = (tiles: number): number =>
      arenaUses * 2 * floatBytes * Math.min(tiles, tilesPerDispatch(rows, plan.scoreBytes)) * rows ** 2;
    // Scores to choose by are as many as those of a run of tiles, with what hides later keys beside them.
    return new Map([
      ['own', ofTiles(plan.blocks)],
      ['chosen', ofTiles(plan.tiles - plan.blocks)],
      ['masses', 2 * ofTiles(plan.blocks ** 2)],
    ]);
  }
  for (const dispatch of differingDispatches(plan, tilesPerDispatch(rows, plan.scoreBytes))) {
    const key = sessionOf(dispatch);
    const further = dispatch.further.map((stack) => stack?.tiles ?? 0);
    const tiles = Math.max(...further, ...dispatch.stacks.map((stack) => Math.max(dispatch.blocks, stack.tiles)));
    arenas.set(key, Math.max(arenas.get(key) ?? 0, arenaUses * 2 * floatBytes * tiles * rows * rows));
  }
  return arenas;
}

/**
 * The dispatches of a layer, those of a very long prompt by a shorter one: once a query block fills some stacks, longer prompts
 * only repeat what there is, and a million tokens have tens of thousands of dispatches.
 */
function differingDispatches(plan: LayerPlan, largest: number): readonly Dispatch[] {
  // As many blocks are left over from full stacks, and as many tokens from full blocks.
  const spare = Math.max(0, Math.floor(plan.blocks / largest) - 4) * largest;
  const shorter = spare > 0 ? planLayers({ ...plan, tokens: plan.tokens - spare * plan.blockSize }) : plan;
  return dispatchesOf(shorter, () => 0, largest);
}

/** What decides the session of a dispatch (see `AttendShape`). */
function sessionOf({ stacks, further, blocks, continues, continued }: Dispatch): string {
  return JSON.stringify([
    stacks.map(({ mask, tiles }) => [mask !== undefined, blocks === 1 || tiles === 1]),
    further.map((stack) => stack !== undefined),
    blocks === 1,
    continues,
    continued,
  ]);
}

/** Operands that calls are made of: of tiles their masks, and one head's keys and values where they are permuted. */
export function operandBytes(plan: Plan): number {
  return layerParts(plan).reduce(
    (sum, part) => sum + (isBlackBox(plan.construction) ? blackBoxOperands(part.plan) : operandsOf(part.plan)),
    0,
  );
}

function operandsOf(plan: LayerPlan): number {
  const { tokens, model, scenario, tilesByKind } = plan;
  const rows = tileRows(plan);
  const masks = Math.min(tilesByKind.partial, isWritten(scenario) ? mostMasks.written : mostMasks.named);
  const copied = isSampled(scenario) ? tokens : tokens % rows === 0 ? 0 : rows;
  const width = model.headWidth + valueWidthOf(model);
  // Keys and values of the tiles of a run, side by side; masses, and a copy of them in order.
  const chosen =
    tileRuleOf(scenario) === undefined
      ? 0
      : Math.min(plan.tiles, tilesPerDispatch(rows, plan.scoreBytes)) * rows * width + 2 * model.heads * causalTiles(plan.blocks);
  return floatBytes * (masks * rows * rows + copied * width + chosen);
}

/** A session of black-box calls, as many of them as are one batch. */
interface BlackBoxSession {
  readonly key: string;
  readonly shape: BlackBoxShape;
  readonly reading: Reading;
  readonly calls: number;
  /** Whether its tokens are not those of another reading. */
  readonly ownBatch: boolean;
}

/**
 * The sessions of a layer's black-box calls: those of each kind are apart, as are readings. Mean keys are read for the rows
 * whose log-normaliser is repeated: under the literal formula, which loses more, whole batches; else a few.
 */
function blackBoxSessions(plan: LayerPlan): BlackBoxSession[] {
  const layout = blackBoxLayout(plan);
  if (layout === undefined) {
    return [];
  }
  const { shapes, arrangement, construction } = layout;
  return arrangement.formula
    .filter(({ patterns }) => patterns > 0)
    .flatMap(({ kind }) => {
      const shape = shapes[kind];
      const calls = callsPerDispatch(construction, shape, plan.calls.attention / plan.model.layers);
      const readings = [
        ...readingsOf[construction].map((reading, index) => ({ reading, calls, ownBatch: index === 0 })),
        { reading: 'mean-key', calls: construction === 'paper' ? calls : 1, ownBatch: true } as const,
      ];
      return readings.map((each) => ({ ...each, shape, key: `${each.reading} ${kind} ${shape.rows}` }));
    });
}

/** By session, its intermediates, which are taken one by one in every run; the tokens that it is given are not among them. */
function blackBoxArenas(plan: LayerPlan): Map<string, number> {
  return new Map(
    blackBoxSessions(plan).map(({ key, shape, reading, calls }) => [key, calls * (callBytes(shape, reading) - callInputBytes(shape))]),
  );
}

/** By how much V8's young generation grows under a black box, whose instances are objects each: to the most that it may. */
const youngBytes = 16 * 1024 * 1024;

/** What black-box calls are made of: a batch's tokens, apart from those of calls that are repeated; and the states that they merge to. */
function blackBoxOperands(plan: LayerPlan): number {
  const { tokens, model } = plan;
  const states = tokens * model.heads * (floatBytes * valueWidthOf(model) + doubleBytes);
  const batches = blackBoxSessions(plan).filter(({ ownBatch }) => ownBatch);
  return states + batches.reduce((sum, { shape, calls }) => sum + calls * callInputBytes(shape), 0);
}

function layerWeightBytes({ model }: Plan): number {
  return floatBytes * (projectionParameters(model) + outputAndMlpParameters(model));
}

/** A compiled layer's session: its weights, all rows at once, and scores of every shape that its calls have. */
function compiledBytes(plan: Plan): number {
  const layers = layerParts(plan).map((part) => compiledScoreArena(part.plan));
  return compiledWeightCopies * layerWeightBytes(plan) + tokenwiseIntermediates(plan.model, plan.tokens) + Math.max(...layers);
}

function compiledScoreArena(plan: LayerPlan): number {
  if (plan.tiles === 0) {
    return 0;
  }
  const rows = tileRows(plan);
  const shapes = new Set<string>();
  let tiles = 0;
  for (const { blocks, stacks, further } of differingDispatches(plan, tilesPerDispatch(rows, compiledScoreBytes / plan.model.heads))) {
    const own = (blocks === 1 ? [...stacks, ...further] : further).filter((stack) => stack !== undefined).flatMap(inPowersOfTwo);
    const shared = blocks === 1 ? [] : stacks.map(({ mask }) => ({ tiles: blocks, mask }));
    for (const { tiles: count, mask } of [...own, ...shared]) {
      const shape = `${count} ${mask !== undefined}`;
      tiles += shapes.has(shape) ? 0 : count;
      shapes.add(shape);
    }
  }
  return 2 * floatBytes * plan.model.heads * tiles * rows * rows;
}

/** Scores that a dense pass computes at once: of as many query rows as fit, one at least. */
const denseSliceBytes = 32 * 1024 * 1024;

/** Arrays of a slice's scores that exist at once: scores, which are masked in place, and weights. */
const denseSliceArrays = 2;

type HeadCounts = Pick<ModelShape, 'heads' | 'keyValueHeads'>;

/** Scores of one query row of all heads that share their keys. */
function denseRowBytes(keys: number, { heads, keyValueHeads }: HeadCounts): number {
  return (heads / keyValueHeads) * keys * floatBytes;
}

/** Query rows of a slice: as many as fit, one at least, and no more than there are. */
export function denseSliceRows({ tokens, model }: { readonly tokens: number; readonly model: HeadCounts }): number {
  return Math.min(tokens, Math.max(1, Math.floor(denseSliceBytes / denseRowBytes(tokens, model))));
}

/**
 * What a dense pass takes at its peak, beside the weights: residual stream, a layer's tensors, and a slice's scores and its mask. Its
 * session ends with it.
 */
export function densePassBytes({ tokens, model }: Pick<Plan, 'tokens' | 'model'>): number {
  const rows = denseSliceRows({ tokens, model });
  const scores = arenaUses * denseSliceArrays * rows * denseRowBytes(tokens, model);
  return liveBytes({ tokens, model }) + scores + rows * tokens * floatBytes;
}

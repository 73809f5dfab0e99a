import { version } from '../../../../package.json';
import { InputError } from '../../../core/errors';
import { formatCount } from '../../../core/format';
import { compiledScoreBytes, tilesPerDispatch } from '../../../core/plan/attention-cost';
import { exceedsPositions } from '../../../core/plan/context-length';
import { dispatchBands, dispatchesOfBand, inPowersOfTwo, tileRows } from '../../../core/plan/dispatches';
import { hasHeadParts, isUniform, layerParts, type LayerPlan, makePlan, type Plan } from '../../../core/plan/plan';
import type { PlanRequest } from '../../../core/plan/request';
import { scenarioLabel, tileRuleOf } from '../../../core/scenario/scenario';
import { compiledFunctions } from '../../attend/compiled/functions';
import { attentionGraph, type CompiledGraph, modelGraph } from '../../attend/compiled/graphs';
import { functionDomain, irVersion, opsetVersion } from '../../attend/onnx/graph-builder';
import type { LoadedModel } from '../../read/model/load';
import { interruptible } from '../../interruptible';
import { descriptionOf, type ScoreFactors, scoreScaleOf } from './described';
import type { ExportPart } from './options';

/** A graph as it goes to disk. */
export interface ExportedGraph {
  /** The `.onnx` file. */
  readonly model: Uint8Array;
  /** Chunks of the file with the large constants, where there is one. */
  readonly data: readonly Uint8Array[];
  readonly summary: ExportSummary;
}

/** What was exported. */
export interface ExportSummary {
  readonly part: ExportPart;
  readonly tokens: number;
  readonly inputLength: number;
  /** Attention calls of the small transformer that the graph holds. */
  readonly calls: number;
  readonly nodes: number;
  readonly bytes: number;
  /** Bytes in the file of large constants; 0 where there is none. */
  readonly externalBytes: number;
  readonly opset: number;
  readonly irVersion: number;
  /** Names of the model-local functions. */
  readonly functions: readonly string[];
}

/** Protobuf messages end at 2 GB; what names and shapes take besides the constants is far below the margin. */
const largestModelBytes = 2 ** 31 - 64 * 1024 * 1024;

/** Nodes beyond which runtimes take minutes to load a graph. */
const mostNodes = 20_000;

/** Nodes beyond which they are not counted: a message that takes a minute helps nobody. */
const mostCounted = 1_000_000;

/** Nodes that a call, a dispatch and a layer become, about: slices and the call; a slice and merges; projections and the MLP. */
const nodesPerCall = 3;
const nodesPerDispatch = 5;
const nodesPerLayer = 70;

/** What of a plan is exported, and where to. */
export interface ExportRequest {
  readonly part: ExportPart;
  /** The model's, where more is known of it than its shape. */
  readonly factors: ScoreFactors;
  /** Name of the file for large constants, beside the model's. */
  readonly dataName: string;
  /** Bytes of constants above which they go to that file. */
  readonly limit?: number | undefined;
}

/**
 * Exports a plan as one ONNX graph of calls of the small transformer, which says of itself what it takes and gives.
 *
 * @param load loads the large transformer's weights; not called for one layer's attention, which has none
 * @throws InputError for a graph that would have too many nodes, and for a model without positions for all tokens
 */
export async function exportGraph(
  plan: Plan,
  { part, factors, dataName, limit = largestModelBytes }: ExportRequest,
  load: () => Promise<LoadedModel>,
): Promise<ExportedGraph> {
  if (hasHeadParts(plan)) {
    throw new InputError(
      `A graph of calls has one mask for all heads of a layer, and ${scenarioLabel(plan.scenario)} has several; name one with --scenario.`,
    );
  }
  if (tileRuleOf(plan.scenario) !== undefined) {
    throw new InputError(
      `A graph of calls has its tiles before it runs, and ${scenarioLabel(plan.scenario)} chooses them in the run; name another with --scenario.`,
    );
  }
  interruptible(() => checkNodes(plan, part));
  if (part === 'model' && exceedsPositions(plan.tokens, plan.model)) {
    throw new InputError(
      `--tokens ${plan.tokens} is more than the ${plan.model.maximumTokens} positions of the model; use --tokens ${plan.model.maximumTokens} or fewer.`,
    );
  }
  const model = part === 'attention' ? undefined : await load();
  const compiled: CompiledGraph = interruptible(() =>
    model === undefined
      ? attentionGraph(oneKindOfLayer(plan), scoreScaleOf(plan.model.headWidth, factors).columns)
      : modelGraph(plan, model),
  );
  const layers = part === 'attention' ? 1 : plan.model.layers;
  // Calls are packed within a layer: the next one reads what it makes.
  const calls = layers * Math.ceil(compiled.instances / (layers * plan.oracle.heads * plan.oracle.layers));
  const described = descriptionOf(plan, part, factors);
  const metadata = { ...metadataOf(plan, part, calls), ...described.metadata };
  const parts = { ...described, metadata, functions: compiledFunctions.float32 };
  const nodes = compiled.graph.nodeCount;
  const split = interruptible(() =>
    compiled.graph.constantBytes > limit ? compiled.graph.buildSplit(dataName, parts) : { model: compiled.graph.build(parts), data: [] },
  );
  const externalBytes = split.data.reduce((sum, chunk) => sum + chunk.length, 0);
  return {
    ...split,
    summary: {
      part,
      tokens: plan.tokens,
      inputLength: plan.oracle.inputLength,
      calls,
      nodes,
      bytes: split.model.length,
      externalBytes,
      opset: opsetVersion,
      irVersion,
      functions: compiledFunctions.float32.map(({ opType }) => `${functionDomain}.${opType}`),
    },
  };
}

/** The plan of the one layer that is exported. @throws InputError where layers differ */
function oneKindOfLayer(plan: Plan): LayerPlan {
  if (!isUniform(plan)) {
    throw new InputError(
      `Part "attention" is one layer's, and ${scenarioLabel(plan.scenario)} has layers of several kinds; name one with --scenario, or use --part model.`,
    );
  }
  return plan;
}

/** @throws InputError that names the block size and one that fits */
function checkNodes(plan: Plan, part: ExportPart): void {
  const estimate = nodesOf(plan, part, mostCounted);
  if (estimate <= mostNodes) {
    return;
  }
  // From one block down: plans of few blocks are made at once, and those of many never here.
  let fitting = plan.oracle.inputLength;
  while (fitting < plan.tokens) {
    fitting *= 2;
  }
  while (fitting / 2 > plan.oracle.inputLength) {
    const request: PlanRequest = { ...plan, oracle: { ...plan.oracle, inputLength: fitting / 2 } };
    if (nodesOf(makePlan(request), part, mostNodes) > mostNodes) {
      break;
    }
    fitting /= 2;
  }
  const nodes = estimate > mostCounted ? `more than ${formatCount(mostCounted)}` : `about ${formatCount(estimate)}`;
  throw new InputError(
    `A block size of ${plan.oracle.inputLength} makes a graph of ${nodes} nodes and ${formatCount(mostNodes)} are allowed; use --block ${fitting}.`,
  );
}

/** Nodes of a plan's graph, about; counted up to `most`, beyond which any number above it is returned. */
function nodesOf(plan: Plan, part: ExportPart, most: number): number {
  const limit = tilesPerDispatch(tileRows(plan), compiledScoreBytes / plan.model.heads);
  let sum = 0;
  for (const { layers, plan: own } of layerParts(plan)) {
    const times = part === 'attention' ? 1 : layers.length;
    sum += times * nodesPerLayer;
    for (const band of dispatchBands(own, () => 0, limit)) {
      for (const { blocks, stacks, further } of dispatchesOfBand(band, limit)) {
        const own = further.filter((stack) => stack !== undefined).flatMap(inPowersOfTwo);
        const calls = [...own, ...(blocks === 1 ? stacks.flatMap(inPowersOfTwo) : stacks)];
        sum += times * (nodesPerDispatch * (1 + further.length) + nodesPerCall * calls.length);
      }
      if (sum > most) {
        return sum;
      }
    }
  }
  return sum;
}

function metadataOf({ scenario, tokens, oracle, construction, bound }: Plan, part: ExportPart, calls: number): Record<string, string> {
  return {
    part,
    tokens: String(tokens),
    inputLength: String(oracle.inputLength),
    scenario: JSON.stringify(scenario),
    construction,
    calls: String(calls),
    producer: `two-heads ${version}`,
    statement: bound.theorem,
    source: 'Yu and Alman, arXiv 2506.12220; masks go into the tiles',
  };
}

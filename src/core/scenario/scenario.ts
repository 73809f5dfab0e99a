import type { TileRule } from '../chosen/rule';
import { type Arrangement, type BlackBoxConstruction, type BlackBoxRequest, fitsBands } from '../construct/construction';
import { InputError } from '../errors';
import { quoted } from '../text/printable';
import { t, text } from '../l10n';
import type { Mark, NumberParameter, Reach, TextParameter, TileBound } from './definition';
import type { Mask } from './mask';
import { type NativeScenario, parseCycle, parseHeads, scenarioText } from './parse';
import { StepBudget } from './pairs/budget';
import { onePart, type PartName, partNames, type PartStarts } from './parts';
import type { PerHeadScenario } from './per-head';
import { layerGroups, type PerLayerScenario } from './per-layer';
import {
  definitionOf,
  layerDefinitions,
  type LayerScenario,
  makeScenario,
  type NumberName,
  type ScenarioKind,
  type ScenarioParameters,
  type TextName,
} from './registry';
import { unionMask } from './union';

export type { Mark, NumberParameter, Reach, TextParameter } from './definition';
export { visibleRanges, type BandedMask, type GeneralMask, type Mask, type Range, type VisibleKeys } from './mask';
export { StepBudget } from './pairs/budget';
export { type NativeScenario } from './parse';
export { type PartName, partNames, type PartStarts, startsInWindow } from './parts';
export { headsOf, perHead, type HeadShare, type PerHeadScenario } from './per-head';
export { layerGroups, ofLayers, perLayer, type LayerGroup, type PerLayerScenario } from './per-layer';
export {
  comparedKinds,
  makeScenario,
  numberParameters,
  sampledKinds,
  scenarioKinds,
  standardKinds,
  type LayerScenario,
  type NumberName,
  type ScenarioParameters,
  type TextName,
} from './registry';

/** A scenario for each layer, or for each head of every layer. */
export type CycleScenario = PerLayerScenario | PerHeadScenario;

/** A masking scenario, plain data: the same for all layers and heads, or one for each. */
export type Scenario = LayerScenario | CycleScenario;

/** A scenario that a user can choose before the model is known. */
export type ScenarioChoice = Scenario | NativeScenario;

/** A scenario that a menu or a flag can name. */
export type ChoiceKind = ScenarioKind | NativeScenario['kind'] | CycleScenario['kind'];

/** Name and parameters of a scenario, for menus, forms and flags. Texts are in English; translated when shown. */
export interface ChoiceDefinition {
  readonly kind: ChoiceKind;
  readonly title: string;
  readonly description: string;
  readonly parameters: readonly NumberParameter<NumberName>[];
  readonly text?: TextParameter<TextName>;
}

/** The scenarios of the layers, or of the heads. */
const cycleParameter: Omit<TextParameter<TextName>, 'check'> = {
  name: 'cycle',
  flag: 'cycle',
  symbol: 'a,b,...',
  title: text('Cycle'),
  description: text('Scenarios of the layers, or of the heads, with commas between; each with its numbers after colons.'),
  default: 'causal,sliding-window:512',
};

/** Every scenario in menu order: the model's own, one for all layers, and a cycle of layers or heads. */
export const choiceDefinitions: readonly ChoiceDefinition[] = [
  {
    kind: 'native',
    title: text("The model's own"),
    description: text('The attention that the model was trained with, as its config.json states it: causal for a Llama.'),
    parameters: [],
  },
  ...layerDefinitions,
  {
    kind: 'per-layer',
    title: text('Per-layer'),
    description: text('A scenario for each layer: those of a cycle, repeated to the last layer.'),
    parameters: [],
    text: { ...cycleParameter, check: parseCycle },
  },
  {
    kind: 'per-head',
    title: text('Per-head'),
    description: text('A scenario for each head of every layer: those of a cycle, repeated to the last head.'),
    parameters: [],
    text: { ...cycleParameter, check: parseHeads },
  },
];

/** Every text parameter of the scenarios, without duplicates. */
export const textParameters: readonly TextParameter<TextName>[] = [
  ...new Map(choiceDefinitions.flatMap(({ text: own }) => own ?? []).map((parameter) => [parameter.name, parameter])).values(),
];

/** The definition of a choice. @throws InputError for a kind that does not exist */
export function choiceDefinition(kind: string): ChoiceDefinition {
  const found = choiceDefinitions.find((definition) => definition.kind === kind);
  if (found === undefined) {
    throw new InputError(
      `Scenario ${quoted(kind)} is unknown; use one of ${choiceDefinitions.map((definition) => definition.kind).join(', ')}.`,
    );
  }
  return found;
}

/** The kinds that take a parameter of this name. */
export function kindsWith(name: string): readonly ChoiceKind[] {
  return choiceDefinitions
    .filter(({ parameters, text: own }) => own?.name === name || parameters.some((parameter) => parameter.name === name))
    .map(({ kind }) => kind);
}

/** A choice from loose parameters. @throws InputError like `makeScenario` */
export function makeChoice(kind: string, parameters: ScenarioParameters = {}): ScenarioChoice {
  const known = choiceDefinition(kind);
  switch (known.kind) {
    case 'native':
      return { kind: 'native' };
    case 'per-layer':
      return parseCycle(parameters.cycle ?? cycleParameter.default);
    case 'per-head':
      return parseHeads(parameters.cycle ?? cycleParameter.default);
    default:
      return makeScenario(kind, parameters);
  }
}

/** A choice as the parameters that `makeChoice` makes it from. */
export function parametersOf(scenario: ScenarioChoice): ScenarioParameters {
  if (isCycle(scenario)) {
    return { cycle: scenario.cycle.map(scenarioText).join() };
  }
  return Object.fromEntries(chosenIn(scenario));
}

/** The parts of a prompt that the masks of a scenario count, in order. */
export function partsOf(scenario: ScenarioChoice): readonly PartName[] {
  const found = scenario.kind === 'native' ? [] : layersOf(scenario).flatMap((layer) => definitionOf(layer.kind).counts?.(layer) ?? []);
  return partNames.filter((name) => found.includes(name));
}

/** A scenario with the places of the parts that it counts; others stay as they are. */
export function withStarts<S extends ScenarioChoice>(scenario: S, starts: PartStarts): S {
  if (isCycle(scenario)) {
    return { ...scenario, cycle: scenario.cycle.map((layer) => withStarts(layer, starts)) };
  }
  const own = partsOf(scenario).map((name) => [name, starts[name] ?? onePart]);
  return own.length === 0 ? scenario : { ...scenario, starts: Object.fromEntries(own) as PartStarts };
}

/** Where the parts begin that a scenario counts, all its layers together; nothing where no prompt has told. */
export function startsOf(scenario: Scenario): PartStarts {
  return Object.assign({}, ...layersOf(scenario).map((layer) => ('starts' in layer ? layer.starts : {}))) as PartStarts;
}

/**
 * The mask of a scenario over a sequence of `tokens` tokens; where layers or heads differ, the pairs that at least one admits.
 *
 * @param budget for masks that the user wrote; share it among the masks of one plan
 * @throws InputError for a mask that is refused at this length, or costs more than the budget
 */
export function maskOf(scenario: Scenario, tokens: number, budget = new StepBudget()): Mask {
  if (!isCycle(scenario)) {
    return definitionOf(scenario.kind).mask(scenario, tokens, budget);
  }
  return unionMask(
    distinctLayers(scenario).map((layer) => maskOf(layer, tokens, budget)),
    tokens,
    budget,
  );
}

/** The pairs that two scenarios both admit, neither of which samples keys, as a written mask. @throws InputError where it gets too long */
export function bothOf(one: LayerScenario, other: LayerScenario): LayerScenario {
  const expressions = [one, other].map((each) => {
    const expression = definitionOf(each.kind).expression?.(each);
    if (expression === undefined) {
      throw new RangeError(`${scenarioLabel(each)} samples keys and has no expression.`);
    }
    return `(${expression})`;
  });
  return withStarts(makeScenario('custom', { expression: expressions.join(' and ') }), { ...startsOf(one), ...startsOf(other) });
}

/**
 * Whether a query may see later keys, in any layer, among `tokens`: a model that predicts the next token has no perplexity
 * then.
 */
export function looksAhead(scenario: Scenario, tokens: number): boolean {
  const budget = new StepBudget();
  return distinctLayers(scenario).some((layer) => definitionOf(layer.kind).looksAhead(layer, tokens, budget));
}

/** Whether the keys visible to earlier queries change as the sequence grows: then their results cannot be cached. */
export function dependsOnLength(scenario: Scenario): boolean {
  return layersOf(scenario).some((layer) => definitionOf(layer.kind).dependsOnLength?.(layer) === true);
}

/** Whether no query of any layer sees further than its window and the sinks, however long the sequence is. */
export function isLocal(scenario: Scenario): boolean {
  return layersOf(scenario).every(({ kind }) => definitionOf(kind).reach !== undefined);
}

/**
 * How many of the first `tokens` keys a later query can see: those of a window with its sinks, else all, since what a written
 * mask will show is not known before.
 */
export function keptTokens(scenario: LayerScenario, tokens: number): number {
  const reach = definitionOf(scenario.kind).reach?.(scenario);
  return reach === undefined ? tokens : Math.min(tokens, reach.before + 1 + reach.sinks);
}

/** Keys around a query that it sees at most, of `tokens`, and sinks besides; all of them where that is not known without asking. */
export function bandOf(scenario: LayerScenario, tokens: number): { readonly width: number; readonly sinks: number } {
  const reach = definitionOf(scenario.kind).reach?.(scenario);
  return reach === undefined
    ? { width: 2 * tokens, sinks: 0 }
    : { width: reach.before + 1 + reach.after, sinks: Math.min(tokens, reach.sinks) };
}

/** How far the queries of each layer see. @throws InputError that names the scenario of a layer that is not local, or of heads */
export function reachesOf(scenario: Scenario, layers: number): readonly Reach[] {
  if (scenario.kind === 'per-head') {
    throw new InputError(
      `Under ${scenarioLabel(scenario)} the heads of a layer see differently, and shards are cut for all of them alike; use one scenario for all heads.`,
    );
  }
  const cycle = layersOf(scenario);
  return Array.from({ length: layers }, (_, layer) => {
    const own = cycle[layer % cycle.length];
    const reach = definitionOf(own.kind).reach?.(own);
    if (reach === undefined) {
      const local = layerDefinitions.filter(({ reach: known }) => known !== undefined).map(({ kind }) => kind);
      throw new InputError(
        `Under ${scenarioLabel(own)} a token can depend on the whole prompt, which cannot be cut into shards; use ${local.join(', ')} or a cycle of them.`,
      );
    }
    return reach;
  });
}

/** The seed for sampling keys (theorem 4.1), where the result is an estimate; undefined if all keys are read. */
export function sampleSeed(scenario: Scenario): number | undefined {
  // Cycles are never sampled.
  return isCycle(scenario) ? undefined : definitionOf(scenario.kind).sampleSeed?.(scenario);
}

/** Whether keys are sampled instead of read in full. */
export function isSampled(scenario: Scenario): boolean {
  return sampleSeed(scenario) !== undefined;
}

/** How the tiles of each layer are chosen in the run, by its queries and keys; undefined if the mask alone says which are read. */
export function tileRuleOf(scenario: Scenario): TileRule | undefined {
  // Cycles never choose.
  return isCycle(scenario) ? undefined : definitionOf(scenario.kind).choosesTiles?.(scenario);
}

/** Whether the user wrote the mask of some layer: its form is unknown, so other lengths are planned only on request. */
export function isWritten(scenario: ScenarioChoice): boolean {
  return scenario.kind !== 'native' && layersOf(scenario).some(({ kind }) => definitionOf(kind).written === true);
}

/** The simpler scenario that is the same over `tokens` tokens, if the window covers them all; otherwise undefined. */
export function sameAs(scenario: LayerScenario, tokens: number): 'causal' | 'full' | undefined {
  return definitionOf(scenario.kind).sameAs?.(scenario, tokens);
}

/** The paper's bound for T blocks of M tokens, in tiles of one head. */
export function tileBoundOf(scenario: LayerScenario, blockSize: number, blocks: number): TileBound {
  return definitionOf(scenario.kind).bound(scenario, blockSize, blocks);
}

/** The arrangement of a scenario's black-box calls. @throws InputError if the paper has no arrangement for it */
export function arrangementOf(
  scenario: LayerScenario,
  construction: BlackBoxConstruction,
  request: Omit<BlackBoxRequest, 'construction'>,
): Arrangement {
  return definitionOf(scenario.kind).arrangement(scenario, { ...request, construction });
}

/**
 * Whether the calls of a black box are causal ones alone, so that one which cannot do otherwise will do: under `paper` those of theorems
 * 3.5 and 5.1, under `tight` those of bands.
 */
export function needsCausalOracle(
  scenario: LayerScenario,
  { construction, tokens, inputLength }: Omit<BlackBoxRequest, 'causal'>,
): boolean {
  if (construction === 'paper') {
    return !looksAhead(scenario, 1);
  }
  const reach = definitionOf(scenario.kind).reach?.(scenario);
  return reach?.after === 0 && reach.before + 1 + reach.sinks < tokens && fitsBands(reach.before + 1, reach.sinks, inputLength);
}

/** The colour and shape of a scenario in charts. Layers or heads that differ share the mark of custom masks. */
export function markOf(kind: Scenario['kind']): Mark {
  return isCycleKind(kind) ? { colour: 'foreground', shape: 'circle', hollow: true } : definitionOf(kind).mark;
}

/** A scenario in words, such as `sliding-window(window 512)`. */
export function scenarioLabel(scenario: ScenarioChoice): string {
  if (isCycle(scenario)) {
    return `${scenario.kind}(${runsOf(scenario.cycle.map(scenarioLabel)).join(', ')})`;
  }
  const { kind } = scenario;
  const values = chosenIn(scenario).map(([name, value]) => (typeof value === 'string' ? value : `${name} ${value}`));
  return values.length === 0 ? kind : `${kind}(${values.join(', ')})`;
}

/**
 * The numbers of a scenario in a few characters, for charts whose colours say its kind: `512 + 4 sinks`, `25%, 10% sampled`.
 *
 * @returns '' where it has none. How many queries are asked, and the seed beside other numbers, stand only where a user chose them
 */
export function numbersText(scenario: Scenario): string {
  const numbers = isCycle(scenario) ? [] : chosenIn(scenario).filter((entry): entry is [string, number] => typeof entry[1] === 'number');
  const usual = new Map(choiceDefinition(scenario.kind).parameters.map((each) => [each.name as string, each.default]));
  const valueOf = new Map(numbers);
  const [window, sinks] = [valueOf.get('window'), valueOf.get('sinks')];
  const others = numbers.filter(([name]) => name !== 'window' && name !== 'sinks');
  return [
    ...(window === undefined ? [] : [sinks === undefined ? String(window) : t('{0} + {1} sinks', window, sinks)]),
    ...others.flatMap(([name, value]) => {
      switch (name) {
        case 'share':
          return [`${value}%`];
        case 'sample':
          return [t('{0}% sampled', value)];
        default:
          return numbers.length > 1 && value === usual.get(name) ? [] : [name === 'seed' ? t('seed {0}', value) : t('{0} queries', value)];
      }
    }),
  ].join(', ');
}

/** A scenario's name in words. */
export function scenarioTitle({ kind }: ScenarioChoice): string {
  return t(choiceDefinition(kind).title);
}

/** The numbers and texts that a user chooses of a scenario, by name: where parts begin is the prompt's. */
function chosenIn(scenario: Exclude<ScenarioChoice, CycleScenario>): readonly (readonly [string, string | number])[] {
  const isChosen = (entry: readonly [string, unknown]): entry is readonly [string, string | number] =>
    entry[0] !== 'kind' && entry[0] !== 'starts';
  return Object.entries(scenario).filter(isChosen);
}

/** Whether layers or heads have scenarios of their own. */
export function isCycle(scenario: ScenarioChoice): scenario is CycleScenario {
  return isCycleKind(scenario.kind);
}

/** The same of a kind alone. */
export function isCycleKind(kind: string): kind is CycleScenario['kind'] {
  return kind === 'per-layer' || kind === 'per-head';
}

/** The scenarios of a cycle, or the single one of all layers. */
function layersOf(scenario: Scenario): readonly LayerScenario[] {
  return isCycle(scenario) ? scenario.cycle : [scenario];
}

/** The same, each once: what is asked of a written mask costs its budget. */
function distinctLayers(scenario: Scenario): readonly LayerScenario[] {
  return isCycle(scenario) ? layerGroups(scenario, scenario.cycle.length).map((group) => group.scenario) : [scenario];
}

/** Merges equal neighbours into one label with their count. */
function runsOf(labels: readonly string[]): string[] {
  const runs: { readonly label: string; count: number }[] = [];
  for (const label of labels) {
    const last = runs.at(-1);
    if (last?.label === label) {
      last.count += 1;
    } else {
      runs.push({ label, count: 1 });
    }
  }
  return runs.map(({ label, count }) => (count === 1 ? label : `${count} x ${label}`));
}

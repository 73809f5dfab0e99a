import { InputError } from '../errors';
import { inEnglish, t } from '../l10n';
import { attentionSink, type AttentionSinkScenario } from './attention-sink';
import { averageCase, type AverageCaseScenario } from './average-case';
import { causal, type CausalScenario } from './causal';
import { custom, type CustomScenario } from './custom';
import { mentions } from './expression/syntax';
import { parseMask } from './expression/parse';
import { full, type FullScenario } from './full';
import { localWindow, type LocalWindowScenario } from './local-window';
import type { Mask, MaskDefinition, ScenarioParameter, ScenarioText } from './mask';
import { unionMask, type PerLayerScenario } from './per-layer';
import { slidingWindow, type SlidingWindowScenario } from './sliding-window';

export { customText } from './custom';
export {
  visibleRanges,
  type BandedMask,
  type GeneralMask,
  type Mask,
  type MaskDefinition,
  type Range,
  type ScenarioParameter,
  type ScenarioText,
  type VisibleKeys,
} from './mask';
export { layerGroups, perLayer, type LayerGroup, type PerLayerScenario } from './per-layer';

/** A masking scenario of one layer, or of all layers alike: its kind and its parameters, plain data. */
export type LayerScenario =
  | FullScenario
  | CausalScenario
  | SlidingWindowScenario
  | AttentionSinkScenario
  | LocalWindowScenario
  | AverageCaseScenario
  | CustomScenario;

/** A masking scenario as a value, plain data: the same in all layers, or one for each. */
export type Scenario = LayerScenario | PerLayerScenario;

/** The model's own attention, whatever that is: causal for a Llama, a window for a Mistral, layers of two kinds for a ModernBERT. */
export interface NativeScenario {
  readonly kind: 'native';
}

/** What a user can ask for before the model is known. */
export type ScenarioChoice = Scenario | NativeScenario;

type ScenarioKind = LayerScenario['kind'];
/** A scenario that a menu or a flag can name by itself: the model's own, or one for all layers. */
export type ChoiceKind = ScenarioKind | NativeScenario['kind'];
/** Any scenario parameter by name, as a form or a command line collects them before the kind is known. */
export type ScenarioParameters = Partial<Record<NumberName, number>> & { expression?: string };
export type NumberName = 'window' | 'sinks' | 'seed';

/** Every scenario of a layer, in the order in which menus show them. */
const maskDefinitions = [full, causal, slidingWindow, attentionSink, localWindow, averageCase, custom] as const;

export const scenarioKinds: readonly ScenarioKind[] = maskDefinitions.map((definition) => definition.kind);

/** The scenarios that comparisons run unasked: a mask that nobody wrote is not among them. */
export const standardKinds: readonly ScenarioKind[] = scenarioKinds.filter((kind) => kind !== 'custom');

/** How a scenario is named and what it takes: what menus and forms show, in the editor's language. */
interface ChoiceDefinition {
  readonly kind: ChoiceKind;
  readonly title: string;
  readonly description: string;
  readonly parameters: readonly ScenarioParameter<NumberName>[];
  readonly text?: ScenarioText;
}

/** Every scenario that menus show, the model's own first. */
export const choiceDefinitions: readonly ChoiceDefinition[] = [
  {
    kind: 'native',
    get title(): string {
      return t("The model's own");
    },
    get description(): string {
      return t('The attention that the model was trained with, as its config.json states it: causal for a Llama.');
    },
    parameters: [],
  },
  ...maskDefinitions,
];

/** The definition of a choice. @throws InputError for a kind that does not exist */
export function choiceDefinition(kind: string): ChoiceDefinition {
  const found = choiceDefinitions.find((definition) => definition.kind === kind);
  if (found === undefined) {
    throw new InputError(`Scenario "${kind}" is unknown; use one of ${choiceDefinitions.map((definition) => definition.kind).join(', ')}.`);
  }
  return found;
}

/** A choice from loose parameters. @throws InputError as `makeScenario` */
export function makeChoice(kind: string, parameters: ScenarioParameters = {}): LayerScenario | NativeScenario {
  return choiceDefinition(kind).kind === 'native' ? { kind: 'native' } : makeScenario(kind, parameters);
}

/** The definition of a kind. @throws InputError for a kind that does not exist */
export function maskDefinition(kind: string): MaskDefinition<LayerScenario> {
  const found = maskDefinitions.find((definition) => definition.kind === kind);
  if (found === undefined) {
    throw new InputError(`Scenario "${kind}" is unknown; use one of ${scenarioKinds.join(', ')}.`);
  }
  // Each definition only ever meets scenarios of its own kind: `maskOf` and `makeScenario` look it up by kind.
  return found as unknown as MaskDefinition<LayerScenario>;
}

/**
 * Builds a scenario of a kind from loose parameters, with defaults for those left out.
 *
 * Parameters of other scenarios are left aside, so one set of parameters can serve a comparison of many.
 * @throws InputError for an unknown kind, or a parameter out of its range
 */
export function makeScenario(kind: string, parameters: ScenarioParameters = {}): LayerScenario {
  const definition = maskDefinition(kind);
  const values: Record<string, number | string> =
    definition.text === undefined ? {} : { [definition.text.name]: (parameters.expression ?? definition.text.default).trim() };
  for (const parameter of definition.parameters as MaskDefinition<AttentionSinkScenario>['parameters']) {
    const value = parameters[parameter.name] ?? parameter.default;
    if (!Number.isInteger(value) || value < parameter.minimum || value > parameter.maximum) {
      throw new InputError(
        `${inEnglish(() => parameter.title)} of ${value} is out of range; use a whole number from ${parameter.minimum} to ${parameter.maximum}.`,
      );
    }
    values[parameter.name] = value;
  }
  const scenario = { kind: definition.kind, ...values } as LayerScenario;
  const complaint = definition.complaint?.(scenario);
  if (complaint !== undefined) {
    throw new InputError(`${inEnglish(() => definition.title)}: ${complaint}.`);
  }
  return scenario;
}

/** The mask of a scenario over a sequence of `tokens` tokens; where layers differ, the pairs that some layer admits. */
export function maskOf(scenario: Scenario, tokens: number): Mask {
  if (scenario.kind !== 'per-layer') {
    return maskDefinition(scenario.kind).mask(scenario, tokens);
  }
  return unionMask(
    scenario.cycle.map((layer) => maskOf(layer, tokens)),
    tokens,
  );
}

/** Whether a query sees later keys, in some layer, among `tokens`: then a model that predicts the next token has no perplexity. */
export function looksAhead(scenario: Scenario, tokens: number): boolean {
  return layersOf(scenario).some((layer) => maskDefinition(layer.kind).looksAhead(layer, tokens));
}

/** Whether what earlier queries see changes as the sequence grows: then nothing of them can be kept. */
export function dependsOnLength(scenario: Scenario): boolean {
  return layersOf(scenario).some((layer) => layer.kind === 'custom' && mentions(parseMask(layer.expression), 'n'));
}

/** Whether keys are sampled (theorem 4.1) rather than read in full: the result is an estimate. */
export function isSampled(scenario: Scenario): boolean {
  return layersOf(scenario).some(({ kind }) => maskDefinition(kind).sampled);
}

/** Whether some layer's mask was written by the user: nothing is known of its form, so other lengths are not planned unasked. */
export function isWritten(scenario: Scenario): boolean {
  return layersOf(scenario).some(({ kind }) => kind === 'custom');
}

/** A scenario in words, such as `sliding-window(window 512)`. */
export function scenarioLabel(scenario: ScenarioChoice): string {
  if (scenario.kind === 'per-layer') {
    return `per-layer(${runsOf(scenario.cycle.map(scenarioLabel)).join(', ')})`;
  }
  if (scenario.kind === 'custom') {
    return `custom(${scenario.expression})`;
  }
  const { kind, ...parameters } = scenario;
  const values = Object.entries(parameters).map(([name, value]) => `${name} ${value}`);
  return values.length === 0 ? kind : `${kind}(${values.join(', ')})`;
}

/** A scenario's name in words. */
export function scenarioTitle(scenario: Scenario): string {
  return scenario.kind === 'per-layer' ? t('Per-layer') : maskDefinition(scenario.kind).title;
}

/** The scenarios that some layer has. */
function layersOf(scenario: Scenario): readonly LayerScenario[] {
  return scenario.kind === 'per-layer' ? scenario.cycle : [scenario];
}

/** Equal neighbours once, with how many there are. */
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

import { InputError } from '../errors';
import { quoted } from '../text/printable';
import { perHead, type PerHeadScenario } from './per-head';
import { perLayer, type PerLayerScenario } from './per-layer';
import { definitionOf, type LayerScenario, makeScenario, type ScenarioParameters } from './registry';

/** The model's own attention: causal for a Llama, a window for a Mistral, layers of two kinds for a ModernBERT. */
export interface NativeScenario {
  readonly kind: 'native';
}

/**
 * Parses a scenario: a kind and, after colons, its parameters in order, such as `causal`, `sliding-window:512` or
 * `attention-sink:512:4`, `custom:` and an expression, or `per-head:` and the scenarios of the heads with slashes between. Omitted
 * parameters have their defaults.
 *
 * @throws InputError for an unknown kind, a number out of its range, or more numbers than the kind takes
 */
export function parseScenario(text: string): LayerScenario | PerHeadScenario | NativeScenario {
  const [kind, ...values] = text.trim().split(':');
  if (kind === 'native' && values.length === 0) {
    return { kind };
  }
  if (kind === 'per-head' && values.length > 0) {
    // A mask divides by two slashes.
    return perHead(layerScenarios(values.join(':').split(/(?<!\/)\/(?!\/)/), text, 'head'));
  }
  const { parameters, text: written } = definitionOf(kind);
  if (written !== undefined) {
    return makeScenario(kind, values.length === 0 ? {} : { [written.name]: values.join(':') });
  }
  const form = [kind, ...parameters.map(({ name }) => name)].join(':');
  if (values.length > parameters.length) {
    throw new InputError(
      `Scenario ${quoted(text)} has ${values.length === 1 ? '1 number' : `${values.length} numbers`} and ${kind} takes ${parameters.length}; write ${form}.`,
    );
  }
  const given: ScenarioParameters = {};
  values.forEach((value, index) => {
    const { name } = parameters[index];
    if (!/^\d+$/.test(value)) {
      throw new InputError(`Scenario ${quoted(text)}: ${name} of ${quoted(value)} is not a whole number; write ${form}.`);
    }
    given[name] = Number(value);
  });
  return makeScenario(kind, given);
}

/**
 * Parses a scenario for each layer: a cycle of scenarios, separated by commas, such as `causal,sliding-window:512`. @throws
 * InputError
 */
export function parseCycle(text: string): LayerScenario | PerLayerScenario {
  return perLayer(layerScenarios(splitList(text), text, 'layer'));
}

/** Parses a scenario for each head in the same way. @throws InputError */
export function parseHeads(text: string): LayerScenario | PerHeadScenario {
  return perHead(layerScenarios(splitList(text), text, 'head'));
}

function layerScenarios(parts: readonly string[], text: string, whose: 'layer' | 'head'): LayerScenario[] {
  return parts.map((part) => {
    const [kind] = part.trim().split(':');
    const scenario = kind === 'native' || kind === 'per-head' ? undefined : parseScenario(part);
    if (scenario === undefined || scenario.kind === 'native' || scenario.kind === 'per-head') {
      throw new InputError(`--cycle ${text} names ${kind}, which is a scenario of all layers; name one for each ${whose}.`);
    }
    return scenario;
  });
}

/** A scenario as text for `parseScenario`. */
export function scenarioText(scenario: LayerScenario | PerHeadScenario | NativeScenario): string {
  if (scenario.kind === 'native') {
    return scenario.kind;
  }
  if (scenario.kind === 'per-head') {
    return `${scenario.kind}:${scenario.cycle.map(scenarioText).join('/')}`;
  }
  const { parameters, text } = definitionOf(scenario.kind);
  const given = scenario as unknown as Readonly<Record<string, number | string>>;
  return [scenario.kind, ...[...parameters, ...(text === undefined ? [] : [text])].map(({ name }) => given[name])].join(':');
}

/** Splits a list at its commas, except those inside parentheses, as in `min(q, 64)`. */
export function splitList(text: string): string[] {
  const parts = [''];
  let depth = 0;
  for (const character of text) {
    depth += character === '(' ? 1 : character === ')' ? -1 : 0;
    if (character === ',' && depth === 0) {
      parts.push('');
    } else {
      parts[parts.length - 1] += character;
    }
  }
  return parts.map((part) => part.trim());
}

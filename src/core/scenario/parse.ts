import { InputError } from '../errors';
import {
  makeChoice,
  maskDefinition,
  perLayer,
  type LayerScenario,
  type NativeScenario,
  type NumberName,
  type ScenarioChoice,
  type ScenarioParameters,
} from './scenario';

/**
 * A scenario from text: a kind and, after colons, its parameters in their order, such as `causal`, `sliding-window:512` or
 * `attention-sink:512:4`, or `custom:` and an expression; what is left out has its default.
 *
 * @throws InputError for an unknown kind, a number out of its range, or more numbers than the kind takes
 */
export function parseScenario(text: string): LayerScenario | NativeScenario {
  const [kind, ...values] = text.trim().split(':');
  if (kind === 'native' && values.length === 0) {
    return { kind };
  }
  if (kind === 'custom') {
    return makeChoice(kind, values.length === 0 ? {} : { expression: values.join(':') });
  }
  const { parameters } = maskDefinition(kind);
  if (values.length > parameters.length) {
    throw new InputError(
      `Scenario "${text}" has ${values.length} numbers and ${kind} takes ${parameters.length}; write ${[kind, ...parameters.map(({ name }) => name)].join(':')}.`,
    );
  }
  const given: ScenarioParameters = {};
  values.forEach((value, index) => {
    const { name } = parameters[index] as { readonly name: NumberName };
    if (!/^\d+$/.test(value)) {
      throw new InputError(
        `Scenario "${text}": ${name} of "${value}" is not a whole number; write ${[kind, ...parameters.map((parameter) => parameter.name)].join(':')}.`,
      );
    }
    given[name] = Number(value);
  });
  return makeChoice(kind, given);
}

/** A scenario for each layer from text: those of a cycle with commas between, such as `causal,sliding-window:512`. @throws InputError */
export function parseCycle(text: string): ScenarioChoice {
  return perLayer(
    splitList(text).map((part) => {
      const scenario = parseScenario(part);
      if (scenario.kind === 'native') {
        throw new InputError(`--cycle ${text} names native, which is a scenario of all layers; name one for each layer.`);
      }
      return scenario;
    }),
  );
}

/** A scenario as text that `parseScenario` reads. */
export function scenarioText(scenario: LayerScenario | NativeScenario): string {
  const { kind, ...given } = scenario;
  const parameters: Readonly<Record<string, number | string>> = given;
  const names = kind === 'native' ? [] : kind === 'custom' ? ['expression'] : maskDefinition(kind).parameters.map(({ name }) => name);
  return [kind, ...names.map((name) => parameters[name])].join(':');
}

/** The parts of a list with commas between; a comma inside parentheses, as in `min(q, 64)`, separates nothing. */
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

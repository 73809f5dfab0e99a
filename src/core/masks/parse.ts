import { InputError } from '../errors';
import { makeChoice, maskDefinition, perLayer, type LayerScenario, type NativeScenario, type ScenarioChoice, type ScenarioParameters } from './index';

/**
 * A scenario from text: a kind and, after colons, its parameters in their order, such as `causal`, `sliding-window:512` or
 * `attention-sink:512:4`; what is left out has its default.
 *
 * @throws InputError for an unknown kind, a number out of its range, or more numbers than the kind takes
 */
export function parseScenario(text: string): LayerScenario | NativeScenario {
  const [kind, ...values] = text.trim().split(':');
  if (kind === 'native' && values.length === 0) {
    return { kind };
  }
  const { parameters } = maskDefinition(kind);
  if (values.length > parameters.length) {
    throw new InputError(`Scenario "${text}" has ${values.length} numbers and ${kind} takes ${parameters.length}; write ${[kind, ...parameters.map(({ name }) => name)].join(':')}.`);
  }
  const given: ScenarioParameters = {};
  values.forEach((value, index) => {
    const { name } = parameters[index] as { readonly name: keyof ScenarioParameters };
    if (!/^\d+$/.test(value)) {
      throw new InputError(`Scenario "${text}": ${name} of "${value}" is not a whole number; write ${[kind, ...parameters.map((parameter) => parameter.name)].join(':')}.`);
    }
    given[name] = Number(value);
  });
  return makeChoice(kind, given);
}

/** A scenario for each layer from text: those of a cycle with commas between, such as `causal,sliding-window:512`. @throws InputError */
export function parseCycle(text: string): ScenarioChoice {
  return perLayer(
    text.split(',').map((part) => {
      const scenario = parseScenario(part);
      if (scenario.kind === 'native') {
        throw new InputError(`--cycle ${text} names native, which is a scenario of all layers; name one for each layer.`);
      }
      return scenario;
    }),
  );
}

/** A scenario as text that `parseScenario` reads. */
export function scenarioText({ kind, ...parameters }: LayerScenario | NativeScenario): string {
  const given: Readonly<Record<string, number>> = parameters;
  const names = kind === 'native' ? [] : maskDefinition(kind).parameters.map(({ name }) => name);
  return [kind, ...names.map((name) => given[name])].join(':');
}

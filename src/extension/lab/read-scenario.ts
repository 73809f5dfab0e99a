import { z } from 'zod';
import { InputError } from '../../core/errors';
import { choiceDefinition, choiceDefinitions, makeChoice, perLayer, type ScenarioChoice } from '../../core/scenario/scenario';
import { defined, line, whole, word } from '../api/read-options';

const number = whole(0, 100_000_000).optional();

/** Parameters of scenarios by name, as an option or a tool may give them. */
export const parameterShape = {
  window: number,
  sinks: number,
  seed: whole(0, 2 ** 32 - 1).optional(),
  expression: line('give an expression in q, k and n').max(10_000).optional(),
};

const kinds = choiceDefinitions.map(({ kind }) => kind);
const layer = z.strictObject({ kind: word(kinds), ...parameterShape });
const cycle = z.strictObject({
  kind: z.literal('per-layer'),
  cycle: z.array(layer).min(1, { error: 'give from 1 to 1024 scenarios' }).max(1024, { error: 'give from 1 to 1024 scenarios' }),
});

/** A scenario as `LabScenario` has it. */
export const scenarioSchema = z.discriminatedUnion('kind', [layer, cycle], { error: `use one of ${[...kinds, 'per-layer'].join(', ')}` });

/** @throws InputError for a parameter that the kind does not take, or out of its range */
export function scenarioFrom(scenario: z.infer<typeof scenarioSchema>): ScenarioChoice {
  if (scenario.kind !== 'per-layer') {
    return layerFrom(scenario);
  }
  return perLayer(
    scenario.cycle.map((each) => {
      const made = layerFrom(each);
      if (made.kind === 'native') {
        throw new InputError('A cycle of layers names native, which is a scenario of all layers; name one for each layer.');
      }
      return made;
    }),
  );
}

function layerFrom({ kind, ...parts }: z.infer<typeof layer>): Exclude<ScenarioChoice, { kind: 'per-layer' }> {
  const given = defined(parts);
  const { parameters, text } = choiceDefinition(kind);
  const taken: readonly string[] = [...parameters.map(({ name }) => name), ...(text === undefined ? [] : [text.name])];
  for (const [name, value] of Object.entries(given)) {
    if (!taken.includes(name)) {
      throw new InputError(`${name} of ${JSON.stringify(value)} does nothing under scenario ${kind}; leave it out.`);
    }
  }
  return makeChoice(kind, given);
}

import { z } from 'zod';
import { messageOf } from '../../core/errors';
import {
  makeScenario,
  perLayer,
  type LayerScenario,
  type Scenario,
  type ScenarioChoice,
  type ScenarioParameters,
} from '../../core/scenario/scenario';

/** A schema of plain data by one of core's own functions, which refuses by throwing. */
function readBy<T>(read: (value: { readonly kind: string } & Readonly<Record<string, unknown>>) => T): z.ZodType<T> {
  return z.looseObject({ kind: z.string() }).transform((value, context) => {
    try {
      return read(value);
    } catch (error) {
      context.addIssue({ code: 'custom', message: error instanceof z.ZodError ? error.issues[0].message : messageOf(error) });
      return z.NEVER;
    }
  });
}

/** One layer's scenario. `makeScenario` refuses what is not a whole number, whatever its type. */
const layerScenario: z.ZodType<LayerScenario> = readBy(({ kind, ...parameters }) => makeScenario(kind, parameters as ScenarioParameters));

/** A scenario as reports have it: a kind and parameters that it can have. */
export const scenarioSchema: z.ZodType<Scenario> = readBy((value) =>
  value.kind === 'per-layer' ? perLayer(z.array(layerScenario).parse(value.cycle)) : layerScenario.parse(value),
);

/** A scenario as options have it: also the model's own, before the model is known. */
export const scenarioChoiceSchema: z.ZodType<ScenarioChoice> = readBy((value) =>
  value.kind === 'native' ? { kind: 'native' } : scenarioSchema.parse(value),
);

import { tokenCurves, type TokenValues } from '../../../core/atlas/by-token';
import { atlasBytes } from '../../../core/atlas/cells';
import { cutRequest } from '../../../core/atlas/cut';
import { type AtlasReport, atlasVerdict } from '../../../core/atlas/report';
import { InputError } from '../../../core/errors';
import type { SimulationOptions } from '../../../core/options/table';
import { isNativeScenario } from '../../../core/plan/plan';
import { openPlannedDevice } from '../../attend/runtime/provider';
import { checkBaseline } from '../../attend/verify/dense-forward';
import { qualityObstacle } from '../../attend/verify/quality';
import { interruptible } from '../../interruptible';
import { checkMemory, PeakWatch } from '../../memory';
import { loadModel } from '../../read/model/load';
import type { Prompt } from '../../read/prompt';
import { type PlannedPrompt, planPrompt } from '../plan';
import { BaselineStream, checkModel, runPlanned, runUse, type SimulationContext } from '../simulate';
import { AtlasObserver } from './observer';

/**
 * Runs a prompt under the model's own attention and says where that goes: by tile, head and layer, by distance, to sinks, and the fewest
 * tiles that would have kept most of it. Under a scenario it also says what that cuts off and, with quality, runs the prompt under it
 * to see what follows, token by token.
 *
 * @param options whose scenario is the one to ask about; the model's own asks about none
 * @throws InputError for what has no atlas, and like `simulate`; CancelledError once the signal is aborted
 */
export async function atlas(prompt: Prompt, options: SimulationOptions, context: SimulationContext): Promise<AtlasReport> {
  checkOptions(options);
  checkBaseline(options);
  const own: SimulationOptions = { ...options, scenario: { kind: 'native' }, executor: 'tiles' };
  const planned = await planPrompt(prompt, own, context);
  const { plan } = planned;
  await checkModel(planned);
  const masked = await planMasked(planned, prompt, own, options.scenario, context);
  const cut = masked && interruptible(() => cutRequest(masked.plan.scenario, plan.model, plan.tokens));
  const runsMask = masked !== undefined && options.quality && qualityObstacle(masked.plan, masked.model.config) === null;
  const device = await openPlannedDevice(own, planned.calibration);
  const watch = new PeakWatch();
  try {
    const processBytes = watch.startBytes;
    for (const each of runsMask ? [planned, masked] : [planned]) {
      checkMemory(each.plan, { ...runUse(each, own, device, processBytes), kept: atlasBytes(plan) }, options.memoryLimit);
    }
    const model = await loadModel(planned.model);
    const observer = new AtlasObserver(plan, { model, device }, cut);
    const values = emptyValues(plan.tokens);
    const baseline = new BaselineStream();
    const part = runsMask ? 0.5 : 1;
    const { onProgress, signal } = context;
    const surroundings = { model, device, baseline, watch, processBytes, signal };
    try {
      const run = await runPlanned(planned, own, {
        ...surroundings,
        onProgress: (progress) => onProgress({ ...progress, fraction: part * progress.fraction }),
        observer: {
          onTileMasses: observer.onTileMasses,
          inspect: observer.inspect,
          onCompared: (first, { loss }) => values.loss.set(loss ?? [], first),
        },
      });
      const maskedRun = runsMask
        ? await runPlanned(
            masked,
            { ...own, scenario: masked.plan.scenario },
            {
              ...surroundings,
              onProgress: (progress) =>
                onProgress({ ...progress, fraction: part + part * progress.fraction, message: `under the mask, ${progress.message}` }),
              observer: {
                onCompared: (first, { loss, divergence }) => {
                  values.maskedLoss.set(loss ?? [], first);
                  values.divergence.set(divergence, first);
                },
              },
            },
          )
        : null;
      const found = observer.result();
      return {
        ...run,
        verdict: atlasVerdict(found, [run.verdict, ...(maskedRun === null ? [] : [maskedRun.verdict])]),
        atlas: found,
        byToken: run.quality === null ? null : tokenCurves(values, maskedRun?.quality != null),
        masked: maskedRun,
      };
    } finally {
      await observer.release();
    }
  } finally {
    watch.end();
  }
}

/** Refuses what has no masses of tiles. @throws InputError that names it and the fix */
function checkOptions({ construction, executor, precision }: SimulationOptions): void {
  if (construction !== 'fused') {
    throw new InputError(`Construction "${construction}" shows no masses: a black box hides them; use construction fused.`);
  }
  if (executor === 'compiled' || precision !== 'float32') {
    throw new InputError('An atlas is of runs tile by tile in float32, not of compiled layers; use executor tiles and precision float32.');
  }
}

/** The plan of the prompt under the scenario that is asked about, by the same small transformer; none for the model's own. */
async function planMasked(
  { plan }: PlannedPrompt,
  prompt: Prompt,
  own: SimulationOptions,
  scenario: SimulationOptions['scenario'],
  context: SimulationContext,
): Promise<PlannedPrompt | undefined> {
  if (scenario.kind === 'native' || isNativeScenario({ ...plan, scenario })) {
    return undefined;
  }
  return planPrompt(prompt, { ...own, scenario, blockSize: plan.oracle.inputLength }, context);
}

function emptyValues(tokens: number): TokenValues {
  const values = (): Float32Array => new Float32Array(tokens - 1);
  return { loss: values(), maskedLoss: values(), divergence: values() };
}

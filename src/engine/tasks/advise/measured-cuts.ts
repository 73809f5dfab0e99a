import { CutMasses } from '../../../core/advise/cut-masses';
import type { PartMasks } from '../../../core/advise/parts';
import { defaultOptions, type SimulationOptions } from '../../../core/options/table';
import { blockEnd, blockStart } from '../../../core/plan/partition';
import type { Verdict } from '../../../core/report/verdict';
import { openPlannedDevice } from '../../attend/runtime/provider';
import { checkMemory, PeakWatch } from '../../memory';
import { loadModel } from '../../read/model/load';
import type { PlannedPrompt } from '../plan';
import { BaselineStream, runPlanned, runUse, type SimulationContext } from '../simulate';

/**
 * Runs a prompt under the model's own attention, as an atlas does, and says what every candidate cuts off of it.
 *
 * @returns by part and candidate, as `CutMasses` has it, and the verdict on the run
 * @throws InputError where it does not fit in memory; CancelledError
 */
export async function measuredCuts(
  planned: PlannedPrompt,
  own: SimulationOptions,
  { by, parts, candidates }: PartMasks,
  { signal, onProgress }: Pick<SimulationContext, 'signal' | 'onProgress'>,
): Promise<{ readonly cuts: readonly (readonly number[])[]; readonly verdict: Verdict }> {
  const { plan } = planned;
  const device = await openPlannedDevice(own, planned.calibration);
  const watch = new PeakWatch();
  try {
    const processBytes = watch.startBytes;
    checkMemory(plan, runUse(planned, own, device, processBytes), own.memoryLimit);
    const model = await loadModel(planned.model);
    const cuts = new CutMasses(candidates, parts, (block) => blockEnd(plan, block) - blockStart(plan, block));
    const { verdict } = await runPlanned(planned, own, {
      ...{ model, device, baseline: new BaselineStream(), watch, processBytes, signal, onProgress },
      observer: {
        onTileMasses: (layer, head, block, masses) => {
          cuts.add(by === 'layer' ? layer : head, block, masses);
        },
      },
    });
    return { cuts: cuts.result(), verdict };
  } finally {
    watch.end();
  }
}

/** Options of that run: tile by tile, without quality, which is measured elsewhere. */
export function cutOptions(
  chosen: Pick<SimulationOptions, 'model' | 'blockSize' | 'provider' | 'threads' | 'memoryLimit' | 'maxTokens'>,
): SimulationOptions {
  return { ...defaultOptions, ...chosen, scenario: { kind: 'native' }, executor: 'tiles', quality: false };
}

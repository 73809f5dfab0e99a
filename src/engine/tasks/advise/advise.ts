import { candidatesOf } from '../../../core/advise/candidates';
import { cheapest, type Choice } from '../../../core/advise/exchange';
import { lossCurve } from '../../../core/advise/loss-curve';
import type { AdviseOptions } from '../../../core/advise/options';
import { partCount, partGroups, type PartMasks, partsScenario } from '../../../core/advise/parts';
import { type AdvisedMask, type AdviceReport, answerOf } from '../../../core/advise/report';
import { search } from '../../../core/advise/search';
import { uniformMasks } from '../../../core/advise/uniform';
import { InputError } from '../../../core/errors';
import { windowsOf } from '../../../core/evaluate/experiment';
import { formatNumberOf } from '../../../core/format';
import { pick } from '../../../core/options/option';
import { automaticBlock } from '../../../core/options/table';
import { isNativeScenario } from '../../../core/plan/plan';
import { worstVerdict } from '../../../core/report/verdict';
import { scenarioLabel } from '../../../core/scenario/scenario';
import { nativeScenario } from '../../../core/shapes';
import { openModel } from '../../read/model/load';
import type { Prompt } from '../../read/prompt';
import { type PlannedPrompt, planPrompt } from '../plan';
import { checkModel, type SimulationContext } from '../simulate';
import { type AdviseContext, MaskMeasurer } from './mask-measurer';
import { cutOptions, measuredCuts } from './measured-cuts';

/** Choices that are measured at most. */
const mostTried = 5;

/** Fewest blocks that leave anything to choose. */
const fewestBlocks = 4;

/**
 * Finds the cheapest mask for each layer, or each head, that keeps the mean KL divergence within a limit.
 *
 * One run of the first window gives the masses of all tiles, and with them what each of many masks would cut off of each part. A few
 * measured runs, in which a group of parts has a mask and the others none, tell what such a cut does to the predictions of all windows.
 * What parts lose adds up, so the cheapest masks for a predicted loss follow without a run; they are run, and the prediction is scaled
 * by what was measured until the limit is just kept. Uniform windows of the same cost are measured beside.
 * @throws InputError for a model whose attention is not causal, a text of too few blocks, and like `simulate`; CancelledError
 */
export async function advise(prompt: Prompt, options: AdviseOptions, context: AdviseContext): Promise<AdviceReport> {
  const { maxKl, by } = options;
  if (!(maxKl > 0 && Number.isFinite(maxKl))) {
    throw new InputError(`A mean KL divergence of at most ${maxKl} cannot be kept; give a number above 0, such as 0.02.`);
  }
  const planned = await planWindow(prompt, options, context);
  const { blocks, oracle, model, tokens } = planned.plan;
  const blockSize = oracle.inputLength;
  const parts: PartMasks = { by, parts: partCount(by, model), candidates: candidatesOf(blocks), blockSize, blocks };
  const groups = partGroups(parts.parts);
  const steps = new Steps(context.onProgress, 1 + (1 + 2 * groups.length) + 2 * mostTried + 5);
  const own = cutOptions({ ...options, blockSize, maxTokens: tokens });
  const { cuts, verdict } = await measuredCuts(planned, own, parts, { ...context, onProgress: steps.next(1, 'masses') });

  const measurer = new MaskMeasurer(prompt, options, blockSize, context);
  try {
    const choices = await learnedChoices(parts, groups, cuts, measurer, steps);
    const tried = await triedChoices(parts, choices, maxKl, measurer, steps);
    const masks = tried.map(({ mask }) => mask);
    const answer = answerOf(masks, maxKl);
    const chosen = tried.find(({ mask }) => mask === answer)?.chosen;
    const uniform = chosen === undefined ? [] : await measuredUniform(parts, choices, chosen, measurer, steps);
    context.onProgress({ fraction: 1, phase: 'quality', message: 'done' });
    const told = answer ?? masks.at(-1);
    const { report } = measurer;
    return {
      ...pick(report, 'schemaVersion', 'model', 'baseline', 'environment'),
      prompt: report.prompts[0],
      options,
      blockSize,
      blocks,
      calls: measurer.causalCalls,
      answer,
      tried: masks,
      uniform,
      probes: groups.length * probesOf(parts).length,
      positions: report.points.find(({ quality }) => quality !== null)?.quality?.positions ?? 0,
      experiment: measurer.experimentOf(told === undefined ? [nativeScenario(model)] : [told, ...uniform].map(({ scenario }) => scenario)),
      verdict: worstVerdict([verdict, ...measurer.verdicts]),
    };
  } finally {
    await measurer.release();
  }
}

/** By part, what each candidate costs and is predicted to lose: by runs in which one group of parts has a mask and the others have none. */
async function learnedChoices(
  parts: PartMasks,
  groups: readonly (readonly number[])[],
  cuts: readonly (readonly number[])[],
  measurer: MaskMeasurer,
  steps: Steps,
): Promise<readonly (readonly Choice[])[]> {
  const probes = probesOf(parts);
  const causal = parts.candidates.length - 1;
  const masks = groups.flatMap((group) =>
    probes.map((probe) => ({
      scenario: partsScenario(
        parts,
        Array.from({ length: parts.parts }, (_, part) => (group.includes(part) ? probe : causal)),
      ),
      predictedKl: null,
    })),
  );
  const probed = await measurer.measure(masks, steps.next(1 + masks.length, 'probes'));
  return groups.flatMap((group, place) => {
    const curve = lossCurve(
      probes.map((probe, index) => ({
        cut: group.reduce((sum, part) => sum + cuts[part][probe], 0) / group.length,
        kl: probed[place * probes.length + index].kl.value / group.length,
      })),
    );
    return group.map((part) => parts.candidates.map(({ tiles }, index): Choice => ({ cost: tiles, loss: curve(cuts[part][index]) })));
  });
}

/** Choices that were measured, the cheapest by prediction, until one is just within the limit. */
async function triedChoices(
  parts: PartMasks,
  choices: readonly (readonly Choice[])[],
  maxKl: number,
  measurer: MaskMeasurer,
  steps: Steps,
): Promise<readonly { readonly chosen: readonly number[]; readonly mask: AdvisedMask }[]> {
  const tried: { readonly chosen: readonly number[]; readonly mask: AdvisedMask }[] = [];
  await search(
    maxKl,
    (limit) => {
      const chosen = cheapest(choices, limit);
      return chosen.every((index) => index === parts.candidates.length - 1) ? undefined : { name: chosen.join(), chosen };
    },
    async ({ chosen }) => {
      const asked = { scenario: partsScenario(parts, chosen), predictedKl: lossOf(choices, chosen) };
      const [mask] = await measurer.measure([asked], steps.next(2, 'choices'));
      tried.push({ chosen, mask });
      return mask.kl.value;
    },
    mostTried,
  );
  return tried;
}

/** The uniform windows that an answer is compared with, measured. */
async function measuredUniform(
  parts: PartMasks,
  choices: readonly (readonly Choice[])[],
  chosen: readonly number[],
  measurer: MaskMeasurer,
  steps: Steps,
): Promise<readonly AdvisedMask[]> {
  const tiles = chosen.reduce((sum, index) => sum + parts.candidates[index].tiles, 0) / chosen.length;
  const masks = uniformMasks(parts, tiles).map(({ scenario, candidate }) => ({
    scenario,
    predictedKl:
      candidate === undefined
        ? null
        : lossOf(
            choices,
            chosen.map(() => candidate),
          ),
  }));
  return measurer.measure(masks, steps.next(1 + masks.length, 'uniform windows'));
}

function lossOf(choices: readonly (readonly Choice[])[], chosen: readonly number[]): number {
  return chosen.reduce((sum, index, part) => sum + choices[part][index].loss, 0);
}

/** The first window of a prompt, planned under the model's own attention. @throws InputError */
async function planWindow(prompt: Prompt, options: AdviseOptions, context: AdviseContext): Promise<PlannedPrompt> {
  const { name, config } = await openModel(options.model, context.modelsFolder);
  const { context: maxTokens } = windowsOf({ context: options.context, stride: 0 }, config.shape);
  const own = cutOptions({ ...options, maxTokens });
  let planned = await planPrompt(prompt, own, context);
  await checkModel(planned);
  const { tokens } = planned.plan;
  if (!isNativeScenario({ ...planned.plan, scenario: { kind: 'causal' } })) {
    throw new InputError(
      `${name} has attention of its own, ${scenarioLabel(nativeScenario(config.shape))}, and advice is of what causal attention can do without; use a model of causal attention.`,
    );
  }
  if (options.blockSize === automaticBlock) {
    const fitting = 2 ** Math.floor(Math.log2(Math.max(16, tokens / 16)));
    planned = await planPrompt(prompt, { ...own, blockSize: Math.min(planned.plan.oracle.inputLength, fitting) }, context);
  }
  const { blocks, oracle } = planned.plan;
  if (blocks < fewestBlocks) {
    throw new InputError(
      `A window of ${formatNumberOf(tokens, 'token')} has ${formatNumberOf(blocks, 'block')} of ${oracle.inputLength}, too few to choose among; give a longer text, or --block ${Math.max(2, Math.floor(tokens / 16))}.`,
    );
  }
  return planned;
}

/** The candidates that every group is measured with: the narrowest with a sink, and one a few blocks wide. */
function probesOf({ candidates }: PartMasks): readonly number[] {
  const at = (windowBlocks: number): number => candidates.findIndex((each) => each.sinkBlocks === 1 && each.windowBlocks === windowBlocks);
  return [at(1), Math.max(at(4), at(2))];
}

/** One bar for several tasks one after another, each of some steps of about the same length. */
class Steps {
  private done = 0;

  constructor(
    private readonly onProgress: SimulationContext['onProgress'],
    private readonly total: number,
  ) {}

  /** The progress of the next task. @param what it is, in a word or two */
  next(steps: number, what: string): SimulationContext['onProgress'] {
    const from = this.done;
    this.done += steps;
    return ({ fraction, phase, message }) =>
      this.onProgress({ fraction: Math.min(1, (from + steps * fraction) / this.total), phase, message: `${what}, ${message}` });
  }
}

import { join } from 'node:path';
import { defaultRetrieval, scenarioOf } from '../../src/core/evaluate/experiment';
import type { RetrievalRequest } from '../../src/core/evaluate/retrieval';
import { taskLabel } from '../../src/core/evaluate/rows';
import { defaultOptions } from '../../src/core/options/table';
import { isNativeScenario, makePlan } from '../../src/core/plan/plan';
import { planRequest } from '../../src/core/plan/request';
import { runVerdict } from '../../src/core/report/verdict';
import { type Scenario, scenarioLabel } from '../../src/core/scenario/scenario';
import { openModel } from '../../src/engine/read/model/load';
import { promptFromText } from '../../src/engine/read/prompt';
import { PromptTokenizer } from '../../src/engine/read/tokenizer/tokenizer';
import { Evaluator } from '../../src/engine/tasks/evaluate/evaluator';
import { expectedOutcomes, placeCases } from '../../src/engine/tasks/evaluate/retrieval';
import { readTexts } from '../../src/engine/tasks/evaluate/texts';
import type { BenchContext, Section } from './section';

/** Contexts so long that what is read, with all but the last token of the answer, is up to 131,072 tokens. */
const [long, longest] = [100_000, 131_068];

/**
 * What is run: under two masks a needle that is seen and one that is hidden, and without a mask a context that takes as long. Each
 * run takes minutes on a busy machine.
 */
const trials = [
  { scenario: 'attention-sink:512:1024', length: long, depth: 0 },
  { scenario: 'attention-sink:512:1024', length: longest, depth: 0.5 },
  { scenario: 'causal', length: 16_384, depth: 0 },
  { scenario: 'sliding-window:2048', length: longest, depth: 0.995 },
  { scenario: 'sliding-window:2048', length: long, depth: 0 },
];

const blockSize = 512;

/**
 * A test oracle at full length: what `induction-bytes` finds among 100,000 tokens is known by definition, so that a whole run is
 * checked, all layers and the output head, without another run beside it.
 */
export async function retrieval({ quick, threads, log }: BenchContext): Promise<Section> {
  const modelsFolder = join(process.cwd(), 'media', 'models');
  const model = await openModel('induction-bytes', modelsFolder);
  const tokenizer = await PromptTokenizer.load(model.folder);
  const texts = await readTexts(
    [promptFromText('made.txt', 'x')],
    tokenizer,
    model,
    { maximumWindows: 1, quality: true, score: 'all', separator: '<|endoftext|>' },
    { context: 64, stride: 64 },
  );
  const evaluator = await Evaluator.open(model, { provider: 'cpu', threads, executor: 'auto', precision: 'float32' });
  const rows: Record<string, number | string>[] = [];
  for (const { scenario: text, length, depth } of trials) {
    const request: RetrievalRequest = {
      ...defaultRetrieval(0),
      lengths: [quick ? 4_000 : length],
      depths: [depth],
      filler: 'generated',
    };
    const [placed] = placeCases(request, texts, tokenizer);
    const { asked, tokens, row, answer, right } = placed;
    const scenario = scenarioOf(text) as Scenario;
    log(`retrieval, ${scenarioLabel(scenario)}, ${tokens.length} tokens, ${taskLabel(asked)} at ${asked.depth}`);
    const [[expected]] = await expectedOutcomes([placed], [{ scenario, blockSize }], model, modelsFolder);
    const plan = makePlan(planRequest(tokens.length, model.config.shape, { ...defaultOptions, scenario, blockSize }));
    const made = await evaluator.run(tokens, plan, new AbortController().signal, () => undefined);
    const { rank } = await evaluator.answer(made, row, answer);
    const { wallMs, fidelity } = made;
    const evidence = { ...plan, fidelity: fidelity ?? null, sampling: null, quality: null, native: isNativeScenario(plan) };
    const found = {
      scenario: scenarioLabel(scenario),
      task: taskLabel(asked),
      tokens: tokens.length,
      depth: asked.depth,
      expected: expected ?? 'unknown',
      measured: rank <= right ? 'found' : 'lost',
      verdict: runVerdict({ ...evidence, precision: defaultOptions.precision }).kind,
      seconds: wallMs / 1000,
    };
    // Said at once, so that a run that is ended early has told it.
    log(`retrieval, ${Object.values(found).join(', ')}`);
    rows.push(found);
  }
  await evaluator.release();
  const agreeing = rows.filter((each) => each.expected === each.measured && each.verdict === 'exact').length;
  return {
    name: 'retrieval',
    title: 'Retrieval with answers that are known by definition, induction-bytes',
    method: 'Each case runs once, whole, at M = 512; what is expected follows from the predicate of the mask alone, without a run.',
    columns: {
      scenario: 'scenario',
      task: 'task',
      tokens: 'N',
      depth: 'depth',
      expected: 'expected',
      measured: 'measured',
      verdict: 'verdict',
      seconds: 'seconds',
    },
    rows,
    goals: [
      {
        goal: 'Every case is found or lost as the mask gives by definition, in a run that is exact',
        measured: `${agreeing} of ${rows.length}`,
        reached: agreeing === rows.length,
      },
    ],
  };
}

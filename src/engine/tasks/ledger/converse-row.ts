import { text } from '../../../core/l10n';
import { spreadRows } from '../../../core/math/spread-rows';
import { callsPerBlock, type LedgerOptions, type LedgerRow } from '../../../core/ledger/report';
import { wholeCallBytes } from '../../../core/predict/memory';
import { judge } from '../../../core/report/verdict';
import { randomModel } from '../../read/model/random-model';
import { OnnxOracle } from '../../attend/tiles/onnx-oracle';
import { checkPackMemory, PackCheck } from '../pack/check';
import { packLayout } from '../pack/layout';
import { runPacks } from '../pack/ways';
import { headTensors, type LayerTensors } from '../../attend/tiles/layer';
import type { Device } from '../../attend/runtime/provider';
import { anyTokens, modelShape } from './row';
import { largestScore, roundingError } from '../../attend/verify/stated-error';

/** Tokens of the long call at most: it holds N^2 scores a head, and longer ones would show nothing more. */
const longestCall = 4096;

/** Rows whose scores are looked at, to say how large they are. */
const scoredRows = 64;

/**
 * Theorem 4.2, the converse: sequences of M tokens, together N or at most 4,096, as one long call a layer that takes no mask.
 *
 * @throws InputError where the scores of one call would not fit; CancelledError
 */
export async function converseRow(options: LedgerOptions, device: Device, signal: AbortSignal): Promise<LedgerRow> {
  const { blockSize, seed, scoreScale } = options;
  const tokens = Math.min(options.tokens, longestCall);
  const shape = modelShape(options);
  checkPackMemory(shape.heads, tokens, 'full', wholeCallBytes(shape, tokens));
  const model = randomModel(shape, { seed, scoreScale, variety: 1 });
  const lengths = Array.from({ length: Math.ceil(tokens / blockSize) }, (_, index) => Math.min(blockSize, tokens - index * blockSize));
  const layout = packLayout(lengths);
  const oracle = new OnnxOracle(model, tokens, device);
  try {
    const check = new PackCheck(layout, 'full', signal);
    let largestScore = 0;
    const inspect: Parameters<typeof runPacks>[4] = async (tensors, attended) => {
      await check.inspect(tensors, attended);
      largestScore = Math.max(largestScore, largestScoreOf(tensors));
    };
    const { measured } = await runPacks(
      { model, oracle, device, scenario: 'full', signal },
      [layout],
      anyTokens(tokens, shape),
      () => undefined,
      inspect,
    );
    const { maxRelError, leak } = check.result(shape);
    const stated = { error: roundingError(largestScore), reason: text('float32 rounding of the scores') };
    const calls = { formula: 'L', calls: shape.layers };
    return {
      statement: 'Theorem 4.2',
      construction: 'tight',
      scenario: { kind: 'full' },
      tokens,
      layers: shape.layers,
      heads: shape.heads,
      oracle: { inputLength: tokens, layers: 1, heads: shape.heads, causal: false },
      countedCalls: measured.calls,
      callsPerBlock: callsPerBlock(measured.calls, tokens, { inputLength: tokens }),
      retries: 0,
      exact: calls,
      bound: calls,
      lowerBound: shape.layers,
      rounds: shape.layers,
      outputError: maxRelError,
      logNormaliserError: null,
      readsNormaliser: false,
      stated,
      verdict: leak > 0 ? 'failed' : judge(maxRelError, stated.error, 'exact'),
      wallMs: measured.wallMs,
    };
  } finally {
    await oracle.release();
  }
}

function largestScoreOf(layer: LayerTensors): number {
  const rows = spreadRows(layer.query.tokens, scoredRows);
  return Math.max(...Array.from({ length: layer.query.heads }, (_, head) => largestScore(headTensors(layer, head), rows)));
}

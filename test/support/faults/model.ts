import type { LayerWeights, LoadedModel } from '../../../src/engine/read/model/load';
import type { Fault, RunInput } from './fault';

/** Faults of what a run begins with, and of its work token by token. */
export const modelFaults: readonly Fault[] = [
  ...[1, -1].map((by): Fault => ({ kind: 'tokens off by one', run: (run) => ({ ...run, tokens: rolled(run.tokens, by) }) })),
  {
    kind: 'positions off by one',
    // Of all after a token: where all positions are, attention by rotation does not see.
    run: (run: RunInput): RunInput => {
      const [half, tokens] = [run.tokens.length / 2, run.tokens.length];
      const ranges = [
        { from: 0, to: half },
        { from: half + 1, to: tokens + 1 },
      ];
      return { ...run, positions: { ranges, tokens } };
    },
  },
  { kind: 'weights of another layer', run: (run) => ({ ...run, model: withFirst(run.model, (_, [, second]) => second) }) },
  {
    kind: 'weights of another layer',
    run: (run) => ({ ...run, model: withFirst(run.model, (first, [, { outputAndMlp }]) => ({ ...first, outputAndMlp })) }),
  },
  {
    kind: 'a layer without its MLP',
    run: (run) => ({ ...run, model: withFirst(run.model, (first) => ({ ...first, outputAndMlp: withoutMlp(first) })) }),
  },
];

function rolled(tokens: Int32Array, by: number): Int32Array {
  return tokens.map((_, at) => tokens[(at + by + tokens.length) % tokens.length]);
}

function withFirst(model: LoadedModel, change: (first: LayerWeights, layers: readonly LayerWeights[]) => LayerWeights): LoadedModel {
  return { ...model, layers: [change(model.layers[0], model.layers), ...model.layers.slice(1)] };
}

function withoutMlp({ outputAndMlp }: LayerWeights): LayerWeights['outputAndMlp'] {
  const { downWeight } = outputAndMlp;
  return { ...outputAndMlp, ...(downWeight && { downWeight: { ...downWeight, data: new Float32Array(downWeight.data.length) } }) };
}

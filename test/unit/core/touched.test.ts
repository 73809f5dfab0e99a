import { describe, expect, it } from 'vitest';
import { scoredFrom } from '../../../src/core/evaluate/score';
import { isCycle, maskOf, perLayer, type Scenario } from '../../../src/core/scenario/scenario';
import { parseCycle, parseScenario } from '../../../src/core/scenario/parse';
import { touchedPositions } from '../../../src/core/scenario/touched';
import type { LayerScenario } from '../../../src/core/scenario/registry';
import type { ModelShape } from '../../../src/core/shapes';
import { smallModel } from '../../support/shapes';

const tokens = 70;
const scenarioFrom = (text: string): Scenario => (text.includes(',') ? parseCycle(text) : parseScenario(text)) as Scenario;

/** What is found, where it is no sentence. */
function known(scenario: Scenario, shape: ModelShape): number[] {
  const touched = touchedPositions(scenario, shape, tokens);
  return typeof touched === 'string' ? [] : Array.from(touched);
}

/** The definition, pair by pair and layer by layer. */
function byDefinition(scenario: Scenario, shape: ModelShape): number[] {
  const layerOf = (of: Scenario, layer: number): LayerScenario => (isCycle(of) ? of.cycle[layer % of.cycle.length] : of);
  const attending = Array.from({ length: shape.layers }, (_, layer) => layer).filter(
    (layer) => shape.kinds === undefined || shape.kinds.some((kind) => kind.heads > 0 && kind.layers.includes(layer)),
  );
  return Array.from({ length: tokens }, (_, query) => query).filter((query) =>
    attending.some((layer) => {
      const own = maskOf(layerOf(scenario, layer), tokens);
      const native = maskOf(layerOf(shape.attention ?? { kind: 'causal' }, layer), tokens);
      return Array.from({ length: tokens }, (_, key) => key).some((key) => native.allows(query, key) && !own.allows(query, key));
    }),
  );
}

const native = scenarioFrom('causal,sliding-window:24');
const shapes: Readonly<Record<string, ModelShape>> = {
  causal: { ...smallModel, layers: 4 },
  'sliding-window:24': { ...smallModel, layers: 4, attention: scenarioFrom('sliding-window:24') },
  'causal,sliding-window:24': { ...smallModel, layers: 4, attention: native },
  full: { ...smallModel, layers: 4, attention: { kind: 'full' } },
};

describe('touched positions', () => {
  for (const [own, shape] of Object.entries(shapes)) {
    it.each([
      'causal',
      'full',
      'sliding-window:1',
      'sliding-window:16',
      'sliding-window:24',
      'sliding-window:69',
      'sliding-window:70',
      'attention-sink:16:4',
      'attention-sink:60:9',
      'attention-sink:60:10',
      'attention-sink:5:30',
      'local-window:9',
      'custom:k <= q and (q - k < 9 or k % 7 == 0)',
      'custom:k <= q and q != 40 or k == q',
      'custom:k <= q',
      'causal,sliding-window:16',
      'sliding-window:16,causal',
      'sliding-window:30,attention-sink:8:2,causal',
    ])(`are those of the definition: %s on a model of ${own}`, (text) => {
      const scenario = scenarioFrom(text);
      const found = known(scenario, shape);
      expect(found).toHaveLength(tokens);
      expect(found.flatMap((value, position) => (value === 1 ? [position] : []))).toEqual(byDefinition(scenario, shape));
    });
  }

  it('begin, under a window of r, where r tokens stand before', () => {
    const expected = Array.from({ length: tokens }, (_, position) => Number(position >= 16));
    expect(known(scenarioFrom('sliding-window:16'), smallModel)).toEqual(expected);
  });

  it('leave layers without attention out', () => {
    const mixed: ModelShape = {
      ...smallModel,
      layers: 2,
      kinds: [
        { ...smallModel, layers: [0] },
        { ...smallModel, heads: 0, layers: [1] },
      ],
    };
    const onlyIdle = perLayer([{ kind: 'causal' }, { kind: 'sliding-window', window: 4 }]);
    expect(touchedPositions(onlyIdle, mixed, tokens)).toEqual(new Uint8Array(tokens));
  });

  it('are not known of samples, nor of a mask that cannot be seen at this length', () => {
    expect(touchedPositions({ kind: 'average-case', seed: 1 }, smallModel, tokens)).toMatch(/sampled/);
    expect(touchedPositions({ kind: 'custom', expression: 'k <= q' }, smallModel, 200_000)).toMatch(/planned for at most/);
  });
});

it('scores from the first position, half of the tokens or a position on', () => {
  expect([scoredFrom('all', 9), scoredFrom('last-half', 9), scoredFrom('last-half', 512), scoredFrom('from=7', 9)]).toEqual([0, 4, 256, 7]);
});

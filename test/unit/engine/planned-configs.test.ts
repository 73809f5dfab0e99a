import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../../src/core/errors';
import { defaultOptions } from '../../../src/core/options/table';
import { makePlan } from '../../../src/core/plan/plan';
import { layerRequests, planRequest } from '../../../src/core/plan/request';
import { requestCost } from '../../../src/core/plan/request-cost';
import { scenarioLabel } from '../../../src/core/scenario/scenario';
import { headsOfAllLayers, type ModelShape, outputAndMlpParameters, projectionParameters, valueWidthOf } from '../../../src/core/shapes';
import type { ReadConfig } from '../../../src/engine/read/model/architecture';
import { parseConfig } from '../../../src/engine/read/model/config';
import { root } from '../../support/paths';
import { idle, kind, planned, refused } from './published-configs';

const folder = join(root, 'test', 'fixtures', 'configs');

function textOf(name: string): string {
  return readFileSync(join(folder, name, 'config.json'), 'utf8');
}

/** The layers of a shape by kind and mask, as plans have them. */
function layersOf(model: ModelShape): string[] {
  const request = planRequest(1000, model, { ...defaultOptions, scenario: { kind: 'native' } });
  return layerRequests(request).map(({ layers, request: { scenario, model: own } }) => {
    const width = valueWidthOf(own) === own.headWidth ? own.headWidth : `${own.headWidth}/${valueWidthOf(own)}`;
    return own.heads === 0
      ? idle(layers.length, own.feedForwardWidth)
      : kind(layers.length, scenarioLabel(scenario), own.heads, own.keyValueHeads, width, own.feedForwardWidth);
  });
}

/** Parameters that a token is multiplied with, its own row of the embedding not among them. */
function active(model: ModelShape): number {
  const request = planRequest(1000, model, { ...defaultOptions, scenario: { kind: 'native' } });
  return layerRequests(request).reduce(
    (sum, { layers, request: { model: own } }) => sum + layers.length * (projectionParameters(own) + outputAndMlpParameters(own)),
    model.vocabulary * model.width,
  );
}

function outcome(name: string): ReadConfig | string {
  try {
    return parseConfig(textOf(name), 'config.json');
  } catch (error) {
    if (!(error instanceof InputError)) {
      throw error;
    }
    return error.message;
  }
}

const names = readdirSync(folder, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

describe('the configuration of a published model', () => {
  it('is in the table', () => {
    expect([...Object.keys(planned), ...Object.keys(refused)].sort()).toEqual([...names].sort());
  });

  it.each(Object.entries(planned))('is planned as its documentation has it: %s', (name, right) => {
    const { shape, lacks, run } = parseConfig(textOf(name), 'config.json');
    // Kinds that differ in what the table does not say, such as a dense and a sparse network of the same width in use, are apart.
    expect(merged(layersOf(shape))).toEqual(merged(right.layers));
    expect(Math.abs((shape.parameters ?? 0) / 1e9 / right.billions - 1)).toBeLessThan(0.012);
    if (right.active !== undefined) {
      // Publishers round, and some count the embedding or the head.
      expect(Math.abs(active(shape) / 1e9 / right.active - 1)).toBeLessThan(0.18);
    }
    expect(shape.trainedTokens).toBe(right.trained);
    expect(lacks.join('; ')).toMatch(right.lacks ?? /^$/);
    expect(run === undefined).toBe(right.lacks !== undefined);
  });

  it.each(Object.entries(refused))('is refused by the field that stops it: %s', (name, message) => {
    const refusal = outcome(name);
    expect(refusal).toMatch(message);
    expect(refusal).toMatch(/^config\.json: [^\n]*; use /);
  });

  it.each(Object.keys(planned))('has a plan that costs as much as it is said to without tiles: %s', (name) => {
    const { shape } = parseConfig(textOf(name), 'config.json');
    const request = planRequest(3000, shape, { ...defaultOptions, blockSize: 256, scenario: { kind: 'native' } });
    const plan = makePlan(request);
    expect(requestCost(request).calls).toEqual(plan.calls);
    // By hand: 12 blocks of a triangle are 78 tiles, one call each with all heads of a layer.
    const attending = headsOfAllLayers(shape) / shape.heads;
    expect(plan.calls.attention).toBeLessThanOrEqual(shape.attention?.kind === 'full' ? 144 * attending : 78 * Math.ceil(attending * 1.5));
    expect(plan.calls.attention).toBeGreaterThan(0);
    expect(plan.rounds).toBe(
      layersOf(shape).reduce((sum, layers) => sum + (layers.includes('no attention') ? 0 : parseInt(layers, 10)), 0),
    );
  });
});

/** Texts of kinds, those that are equal but for their number put together. */
function merged(layers: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const text of layers) {
    const rest = text.replace(/^\d+ x /, '');
    counts[rest] = (counts[rest] ?? 0) + parseInt(text, 10);
  }
  return counts;
}

describe('docs/models.md', () => {
  it('has the table of these configurations', async () => {
    const path = join(root, 'docs', 'models.md');
    const document = readFileSync(path, 'utf8');
    const parts = /^(.*<!-- configurations: npm run models -->\n).*(\n<!-- \/configurations -->\n.*)$/s.exec(document);
    const made = `${parts?.[1]}\n${table()}\n${parts?.[2]}`;
    await expect(made).toMatchFileSnapshot(path);
  });
});

function table(): string {
  const rows = [...names]
    .sort((one, other) => one.localeCompare(other, 'en'))
    .map((name) => {
      const read = outcome(name);
      if (typeof read === 'string') {
        const field = /^config\.json: (.*); use /.exec(read)?.[1] ?? read;
        return `| ${name} | refused: ${cell(field)} | |`;
      }
      const shown = Object.entries(merged(layersOf(read.shape).map((text) => text.replace(/, \d+$/, '')))).map(
        ([text, count]) => `${count} × ${text}`,
      );
      return `| ${name} | ${cell(shown.join('; '))} | ${read.lacks.length === 0 ? 'yes' : cell(`no: ${read.lacks.map(short).join('; ')}`)} |`;
    });
  return [
    '| configuration | planned as: layers, mask, query/key-value heads of their width (of keys/of values) | run |',
    '| --- | --- | --- |',
    ...rows,
  ].join('\n');
}

/** A reason without the way out. */
function short(lack: string): string {
  return lack.replace(/^([a-z_]+: weights are stored as .*, which is not read);.*$/, '$1');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}

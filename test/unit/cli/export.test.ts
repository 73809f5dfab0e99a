import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fromBinary } from '@bufbuild/protobuf';
import { ModelProtoSchema } from '../../../src/engine/attend/onnx/generated/onnx_pb';
import { InferenceSession, Tensor } from '../../../src/engine/onnxruntime';
import type { ExportCheck } from '../../../src/engine/tasks/export/check';
import type { ExportSummary } from '../../../src/engine/tasks/export/export';
import { run } from '../../support/cli';
import { onnxComplaints } from '../../support/onnx-checker';
import { temporaryFolder } from '../../support/temporary';

/** What a file says of itself, and that its documentation says it too. */
function metadataOf(bytes: Uint8Array): Readonly<Record<string, string>> {
  const { docString, graph, metadataProps } = fromBinary(ModelProtoSchema, bytes);
  expect(docString).toMatch(/Scale: .*; the graph applies it\.\nLogarithms are natural\.\nMask: /);
  expect(graph?.docString).toBe(docString);
  for (const { name, docString: own } of [...(graph?.input ?? []), ...(graph?.output ?? [])]) {
    expect(own).toMatch(/^(float32|int64) \[/);
    expect(docString).toContain(`${name}: ${own}`);
  }
  return Object.fromEntries(metadataProps.map(({ key, value }) => [key, value]));
}

describe('export', () => {
  it('writes a valid graph, and says what is in it', async () => {
    const path = join(temporaryFolder(), 'attention.onnx');
    const flags = ['--tokens', '300', '--block', '64', '--scenario', 'attention-sink', '--window', '100', '--sinks', '2'];
    const { code, stdout } = await run(['export', path, ...flags, '--json']);
    expect(code).toBe(0);
    const summary = JSON.parse(stdout) as ExportSummary;
    expect(summary).toMatchObject({ part: 'attention', tokens: 300, inputLength: 64, opset: 18, irVersion: 8, externalBytes: 0 });
    expect(summary.functions).toContain('two-heads.SmallTransformer');
    const bytes = readFileSync(path);
    expect(bytes.length).toBe(summary.bytes);
    expect(onnxComplaints(bytes)).toEqual([]);
    expect((await run(['export', path, ...flags])).stdout).toMatch(/300 tokens under attention-sink\(window 100, sinks 2\), M = 64/);
  });

  it.each([
    [['x.onnx'], /required option '--tokens <N>' not specified/],
    [['x.onnx', '--tokens', '0'], /--tokens of "0" is not possible/],
    [['x.onnx', '--tokens', '10', '--block', '1'], /--block of "1" is not possible/],
    [['x.onnx', '--tokens', '10', '--block', 'auto'], /--block auto is for runs on this machine/],
    [['x.txt', '--tokens', '10'], /x\.txt is not the name of an ONNX file; end it in \.onnx\./],
    [['nowhere/x.onnx', '--tokens', '10'], /nowhere\/x\.onnx cannot be written/],
    [['x.onnx', '--tokens', '10', '--part', 'half'], /Part "half" is unknown; use one of attention, model\./],
    [['x.onnx', '--tokens', '10', '--window', '5'], /--window 5 does nothing under scenario native/],
    [['x.onnx', '--tokens', '2000000', '--block', '4'], /more than 1,000,000 nodes and 20,000 are allowed; use --block 32768\./],
  ])('refuses %j in one line, and writes nothing', async ([file, ...flags], message) => {
    const folder = temporaryFolder();
    const { code, stdout, stderr } = await run(['export', join(folder, file), ...flags]);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toMatch(message);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('writes inputs and outputs that any reader can check the file with', async () => {
    const path = join(temporaryFolder(), 'attention.onnx');
    const flags = ['--tokens', '150', '--block', '32', '--scenario', 'sliding-window', '--window', '40', '--check'];
    const { code, stdout } = await run(['export', path, ...flags]);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/check +passed, onnxruntime [\d.]+: out within .*, logNormaliser within /)]);
    const check = JSON.parse(readFileSync(`${path}.check.json`, 'utf8')) as ExportCheck;
    const tensor = ({
      base64,
      shape,
    }: {
      readonly base64: string;
      readonly shape: readonly number[];
    }): { data: Float32Array; shape: readonly number[] } => ({
      data: new Float32Array(Uint8Array.from(Buffer.from(base64, 'base64')).buffer),
      shape,
    });
    const { query, key, value } = Object.fromEntries(Object.entries(check.inputs).map(([name, written]) => [name, tensor(written)]));
    const session = await InferenceSession.create(path);
    const metadata = metadataOf(readFileSync(path));
    expect(metadata).toMatchObject({ scaleAppliedBy: 'graph', logarithm: 'natural', hiddenScore: '-1e+30' });
    const [heads, tokens, width] = query.shape;
    const out = await session.run(
      Object.fromEntries(
        Object.entries({ query, key, value }).map(([name, { data, shape }]) => [name, new Tensor('float32', data, shape)]),
      ),
    );
    await session.release();
    const expected = tensor(check.outputs.out).data;
    const rows = check.outputs.out.rows ?? [];
    expect(rows).toHaveLength(64);
    // By the words of the file alone: raw queries, its scale, a window of 40, natural logarithms.
    const group = heads / key.shape[0];
    for (const [head, index] of [
      [0, 0],
      [heads - 1, 63],
      [1, 30],
    ]) {
      const row = rows[index];
      const seen = Array.from({ length: Math.min(40, row + 1) }, (_, back) => row - back);
      const at = (each: number, token: number): number => (each * tokens + token) * width;
      const keyHead = Math.floor(head / group);
      const scores = seen.map((token) => {
        const product = Array.from({ length: width }, (_, c) => query.data[at(head, row) + c] * key.data[at(keyHead, token) + c]);
        return Number(metadata.scale) * product.reduce((sum, each) => sum + each, 0);
      });
      const total = scores.reduce((sum, score) => sum + Math.exp(score), 0);
      expect((out.logNormaliser.data as Float32Array)[head * tokens + row]).toBeCloseTo(Math.log(total), 4);
      for (let column = 0; column < width; column += 1) {
        const mean = seen.reduce((sum, token, k) => sum + Math.exp(scores[k]) * value.data[at(keyHead, token) + column], 0) / total;
        expect(expected[(head * 64 + index) * width + column]).toBeCloseTo(mean, 5);
        expect((out.out.data as Float32Array)[at(head, row) + column]).toBeCloseTo(mean, 4);
      }
    }
  });

  it.each([
    ['average-case', ['--scenario', 'average-case']],
    ['custom', ['--scenario', 'custom', '--mask', 'k <= q and (q - k < 20 or k % 16 == 3)']],
    ['a whole model', ['--part', 'model']],
  ])('checks %s', async (_, flags) => {
    const path = join(temporaryFolder(), 'x.onnx');
    const { code, stdout } = await run(['export', path, '--tokens', '70', '--block', '32', ...flags, '--check', '--json']);
    expect([code, JSON.parse(stdout)]).toEqual([
      0,
      expect.objectContaining({ check: expect.objectContaining({ passed: true }) as unknown }),
    ]);
  });

  it('leaves the file that was there where it fails', async () => {
    const path = join(temporaryFolder(), 'kept.onnx');
    writeFileSync(path, 'kept');
    await run(['export', path, '--tokens', '2000000', '--block', '4']);
    expect(existsSync(path) && readFileSync(path, 'utf8')).toBe('kept');
  });
});

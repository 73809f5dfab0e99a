import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ExportSummary } from '../../../src/engine/tasks/export';
import { run } from '../../support/cli';
import { onnxComplaints } from '../../support/onnx-checker';
import { temporaryFolder } from '../../support/temporary';

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

  it('leaves the file that was there where it fails', async () => {
    const path = join(temporaryFolder(), 'kept.onnx');
    writeFileSync(path, 'kept');
    await run(['export', path, '--tokens', '2000000', '--block', '4']);
    expect(existsSync(path) && readFileSync(path, 'utf8')).toBe('kept');
  });
});

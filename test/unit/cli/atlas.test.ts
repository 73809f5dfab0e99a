import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { atlasVerdict, type AtlasReport } from '../../../src/core/atlas/report';
import { atlasPicture } from '../../../src/core/draw/atlas/picture';
import { toJson } from '../../../src/core/report/json';
import { reportsFrom } from '../../../src/engine/read/report/reports';
import { run } from '../../support/cli';
import { samplePrompt } from '../../support/paths';
import { keptAgain } from '../../support/records';
import { temporaryFolder } from '../../support/temporary';

const short = ['atlas', samplePrompt, '--max-tokens', '60', '--block', '16'];
const folder = temporaryFolder(afterAll);
let printed: string;
let report: AtlasReport;

beforeAll(async () => {
  const windowed = await run([...short, '--scenario', 'sliding-window', '--window', '16', '--json', '--out', join(folder, 'atlas.json')]);
  expect(windowed.code).toBe(0);
  printed = windowed.stdout;
  report = JSON.parse(printed) as AtlasReport;
});

describe('atlas --json', () => {
  it('has masses that add up, of tiles that the model reads', () => {
    const { atlas, scenario, plan } = report;
    expect(scenario).toEqual({ kind: 'causal' });
    expect(atlas.cells).toEqual({ side: 4, blocks: 1 });
    expect(atlas.heads).toHaveLength(48);
    for (const { mass, firstTile, firstToken, byDistance, tiles, fewest } of atlas.heads) {
      for (let row = 0; row < 4; row += 1) {
        const own = mass.slice(4 * row, 4 * row + 4);
        expect(own.reduce((sum, each) => sum + each, 0)).toBeCloseTo(1, 4);
        expect(own.slice(row + 1).every((each) => each === 0)).toBe(true);
      }
      expect(byDistance.reduce((sum, each) => sum + each, 0)).toBeCloseTo(1, 4);
      expect(firstTile).toBeGreaterThan(0);
      expect(firstToken).toBeGreaterThan(0);
      expect(tiles).toBe(10);
      expect(fewest.every((each, index) => each >= 4 && each <= 10 && each >= (fewest[index - 1] ?? 0))).toBe(true);
    }
    expect(atlas.oracle.tiles).toBe(48 * 10);
    expect(atlas.oracle.calls).toBe(plan.calls.attention);
    expect(atlas.massError).toBeLessThan(1e-5);
    atlas.oracle.kept.forEach(({ together, eachBlock }) => expect(together).toBeLessThanOrEqual(eachBlock));
  });

  it('is kept in the history as it is', async () => {
    expect((await keptAgain({ kind: 'atlas', origin: null, report })).report).toEqual(report);
  });

  it('has what the mask cuts off: all of the tiles beyond it, some of those that it hides in part, nothing of the block itself', () => {
    const { atlas, masked } = report;
    expect(atlas.cut?.scenario).toEqual({ kind: 'sliding-window', window: 16 });
    expect(atlas.cut?.share).toBeGreaterThan(0.01);
    for (const { mass, cut } of atlas.heads) {
      cut?.mass.forEach((hidden, at) => {
        const distance = Math.floor(at / 4) - (at % 4);
        if (distance === 1) {
          expect(hidden).toBeLessThan(mass[at]);
        } else {
          expect(hidden).toBeCloseTo(distance < 1 ? 0 : mass[at], 5);
        }
      });
    }
    expect(masked?.scenario).toEqual({ kind: 'sliding-window', window: 16 });
    expect(masked?.verdict.kind).toBe('exact');
  });

  it('has losses by token whose means are those of the runs', () => {
    const { byToken, quality, masked } = report;
    const mean = (values: readonly number[] | null | undefined): number => (values ?? []).reduce((sum, each) => sum + each, 0) / 59;
    expect(byToken?.stretch).toBe(1);
    expect(mean(byToken?.loss)).toBeCloseTo(Math.log(quality?.perplexity ?? 0), 3);
    expect(mean(byToken?.maskedLoss)).toBeCloseTo(Math.log(masked?.quality?.perplexity ?? 0), 3);
    expect(mean(byToken?.divergence)).toBeCloseTo(masked?.quality?.meanKl ?? 0, 3);
  });

  it('is what --out writes, and what report reads: as a run with its atlas', async () => {
    expect(JSON.parse(readFileSync(join(folder, 'atlas.json'), 'utf8'))).toEqual(report);
    const [read] = reportsFrom(printed, 'atlas.json');
    expect(toJson(read.atlas)).toBe(toJson(report.atlas));
    expect(toJson(read.byToken)).toBe(toJson(report.byToken));
    const { code, stdout } = await run(['report', join(folder, 'atlas.json'), '--format', 'html']);
    expect(code).toBe(0);
    expect(stdout).toContain('id="run-1-atlas-title"');
    const path = join(folder, 'broken.json');
    const broken = { ...report, atlas: { ...report.atlas, cells: { side: 4, blocks: 2 } } };
    writeFileSync(path, JSON.stringify(broken));
    expect(await run(['report', path])).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/atlas\.cells: do not cover the blocks/) as string,
    });
  });
});

describe('atlas', () => {
  it('prints the curve, the means and the verdict, and writes a page with the picture', async () => {
    const html = join(folder, 'atlas.html');
    const { code, stdout, stderr } = await run([...short, '--no-quality', '--scenario', 'sliding-window', '--window', '8', '--out', html]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/lower bound +\d+ of 480 tiles keep 90% of every query block, in \d+ of \d+ attention calls/);
    expect(stdout).toMatch(/cut off +\d+(\.\d)?% of the mass by sliding-window\(window 8\)\n/);
    expect(stdout).toMatch(/layer +tiles read +each 90% +each 99% +each 99\.9% +together 90%/);
    expect(stdout).toMatch(/layer +cut off +spread over +first token +first tile +own block +1 away +2-3 away/);
    expect(stderr).toContain(`atlas written to ${html}`);
    const page = readFileSync(html, 'utf8');
    expect(page).toContain('mostly cut off');
    expect(page).not.toContain('Loss by token');
    expect(atlasPicture(report)).toContain('KL by token');
    expect(atlasPicture({ ...report, atlas: { ...report.atlas, cut: null } })).not.toContain('mostly cut off');
  });

  it.each([
    [['--out', 'atlas.png'], /--out atlas\.png has no ending that says what to write; end it in \.svg, \.html, \.json/],
    [['--scenario', 'average-case'], /samples keys/],
    [['--construction', 'tight'], /atlas has no --construction; a black box shows no masses/],
  ])('refuses %j', async (flags, message) => {
    const { code, stderr } = await run([...short, ...flags]);
    expect({ code, lines: stderr.trim().split('\n').length }).toEqual({ code: 2, lines: 1 });
    expect(stderr).toMatch(message);
  });

  it('fails where masses do not add up', () => {
    expect(atlasVerdict({ massError: 0.5 }, [report.verdict])).toMatchObject({ kind: 'failed', measured: 0.5 });
    expect(atlasVerdict({ massError: NaN }, [report.verdict]).kind).toBe('failed');
    expect(atlasVerdict({ massError: 1e-6 }, [report.verdict])).toEqual(report.verdict);
  });
});

import { describe, expect, it } from 'vitest';
import { csvReport } from '../../../src/core/report/csv';
import { timesOf } from '../../../src/core/report/phases';
import { htmlReport } from '../../../src/core/report/html';
import { exportFormats, jsonReport, markdownReport, markdownText } from '../../../src/core/report/formats';
import { makeScenario, perLayer } from '../../../src/core/scenario/scenario';
import type { RunReport } from '../../../src/core/report/report';
import { visibleLines } from '../../../src/core/text/printable';
import { reportsFrom } from '../../../src/engine/read/report/reports';
import { reportOf } from '../../support/reports';

const scenarios = [
  makeScenario('causal'),
  makeScenario('sliding-window', { window: 20 }),
  makeScenario('average-case', { seed: 3 }),
  perLayer([makeScenario('causal'), makeScenario('sliding-window', { window: 10 })]),
];
const reports = scenarios.map((scenario, index) => reportOf({ scenario, meanKl: [0.5, 0.25, null, Infinity][index] }));

/** Names that mean something to whoever shows them carelessly. */
const hostile = [
  '<script>alert(1)</script>.md',
  '"><img src=x onerror=alert(1)>',
  "=cmd|' /C calc'!A0",
  '+1',
  '-2+3',
  '@SUM(A1)',
  '\t=1',
  '\r=1',
  ' =1',
  'a|b\nc\r\n# d',
  '[x](javascript:alert(1))',
  'https://evil.example www.evil.example',
  '`code` *b* ~~s~~ &lt;',
  'a,"b",c',
  '\u202Etxt.exe',
  '\u0000\u001B[2J',
  '\uD800',
  '</style></svg>',
  '${x}',
];
const named = (name: string): RunReport => {
  const report = reportOf({ path: name });
  return {
    ...report,
    model: { ...report.model, name },
    run: { ...report.run, provider: name, device: name },
    plan: { ...report.plan, notes: [name] },
    environment: { ...report.environment, cpu: name },
  };
};

/** The fields of a CSV file, read by the letter of RFC 4180. */
function fieldsOf(csv: string): string[][] {
  const rows: string[][] = [[]];
  for (let rest = csv; rest !== '';) {
    const found = /^(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/.exec(rest) as (string | undefined)[] | null;
    if (found === null) {
      throw new Error(`No field: ${rest.slice(0, 40)}`);
    }
    const [all = '', quoted, plain, separator] = found;
    rows.at(-1)?.push(quoted?.replaceAll('""', '"') ?? plain ?? '');
    if (separator === '\r\n') {
      rows.push([]);
    }
    rest = rest.slice(all.length);
  }
  return rows.slice(0, -1);
}

describe('runs as CSV', () => {
  const table = (some: readonly RunReport[]): { header: string[]; records: Record<string, string>[] } => {
    const [header, ...rows] = fieldsOf(csvReport(some));
    return { header, records: rows.map((row) => Object.fromEntries(header.map((name, index) => [name, row[index]]))) };
  };

  it('has what a scenario takes, and the cycle of layers that differ', () => {
    const { records } = table(reports);
    expect(records.map(({ seed, cycle }) => [seed, cycle])).toEqual([
      ['', ''],
      ['', ''],
      ['3', ''],
      ['', 'causal,sliding-window:10'],
    ]);
  });

  it('has a row for each run, with the numbers of the report and their units in the header', () => {
    const { header, records } = table(reports);
    expect(new Set(header).size).toBe(header.length);
    expect(records).toHaveLength(reports.length);
    expect(records[1]).toMatchObject({
      scenario: 'sliding-window',
      'window (tokens)': '20',
      'sinks (tokens)': '',
      'time (ms)': '1234.5',
      'attend (ms)': '800',
      'other (ms)': '0',
      'peak memory (bytes)': String(200 * 1024 ** 2),
      'max abs error': '3.1e-7',
      'mean KL (nats)': '0.25',
      calls: String(reports[1].run.calls.total),
    });
    const { quality, fidelity, run } = reports[1];
    expect(timesOf(run).within.reduce((sum, [, milliseconds]) => sum + milliseconds, 0)).toBeCloseTo(run.wallMs, 9);
    expect(fidelity?.seed).toEqual(expect.any(Number));
    expect(records[1]).toMatchObject({
      'scored positions': String(quality?.positions),
      'probe rows': String(fidelity?.probe?.rows ?? ''),
      'seed of the check': String(fidelity?.seed),
      'quality: note': quality?.touchedNote ?? '',
    });
    expect(records.map((record) => record['mean KL (nats)'])).toEqual(['0.5', '0.25', '', 'Infinity']);
    expect(records[3].scenario).toBe('per-layer');
  });

  it.each(hostile)('makes no formula and no second row of %j', (name) => {
    const rows = fieldsOf(csvReport([named(name)]));
    expect(rows.map((row) => row.length)).toEqual([rows[0].length, rows[0].length]);
    for (const field of rows[1]) {
      expect(field).not.toMatch(/^\s*[=+@]|^[\t\r\n]/);
    }
    expect(rows[1][1].replace(/^'/, '')).toBe(visibleLines(name));
    expect(rows[1][1]).not.toMatch(/[^\P{Cc}\t\n]|[\p{Cf}\p{Cs}]/u);
  });
});

describe('a field of CSV', () => {
  const nameIn = (name: string): string => fieldsOf(csvReport([named(name)]))[1][1];

  it.each(['=1+1', '＝1+1', '＋1', '－1', '＠a', '\u200b=1+1', '\u3000=1', '-1', '@a', '\t=1', '"=1'])('is no formula: %j', (name) => {
    expect(nameIn(name)).toBe(`'${visibleLines(name)}`);
  });

  it('is none where another separator cuts it, and stays as it is elsewhere', () => {
    expect(nameIn('a;=1+1')).toBe("a;'=1+1");
    expect(nameIn('a; ＝1')).toBe("a;' ＝1");
    expect(nameIn('a\t@b\n+c')).toBe("a\t'@b\n'+c");
    expect(nameIn('a=b, c-d; e@f')).toBe('a=b, c-d; e@f');
  });
});

describe('runs as Markdown', () => {
  it('is a table and a section for each run', () => {
    const lines = markdownReport(reports).split('\n');
    expect(lines[0]).toBe('# Two Heads: 4 runs');
    expect(lines.filter((line) => line.startsWith('## '))).toEqual([
      '## Run 1: causal',
      '## Run 2: sliding-window(window 20)',
      '## Run 3: average-case(seed 3)',
      '## Run 4: per-layer(causal, sliding-window(window 10))',
    ]);
    expect(lines.slice(2, 8).map((line) => line.split('|').length)).toEqual(Array.from({ length: 6 }, () => 17));
    // What came out, then what went in.
    expect(lines[5]).toMatch(
      /^\| 2 \| sliding-window\(window 20\) \| exact \| [\d,]+ \| .* \| 16 \| 100 \| all \| fused \| prompt\.md \|$/,
    );
  });

  it.each(hostile)('shows %j as it is, in one cell', (name) => {
    const text = markdownText(name);
    expect(text).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}]/u);
    expect(text).not.toMatch(/(?<!\\)[|`*<>[\]~]/);
    expect(text).not.toMatch(/:\/\/|www\./);
    for (const line of markdownReport([named(name)])
      .split('\n')
      .filter((each) => each.startsWith('|'))) {
      const cells = line.split(/(?<!\\)\|/).length - 2;
      expect([2, 15]).toContain(cells);
    }
  });
});

describe('runs as HTML', () => {
  const page = htmlReport(reports);

  it('needs nothing but itself', () => {
    expect(page).toContain(`http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'`);
    expect(page).not.toMatch(/<(script|link|img|iframe|object|embed|form|base)\b|\son\w+=|javascript:|@import|\ssrc=/i);
    expect([...page.matchAll(/(?:href|url)[=(]"?([^")\s]*)/g)].every(([, target]) => target.startsWith('#'))).toBe(true);
    expect(page.replaceAll('http://www.w3.org/2000/svg', '')).not.toMatch(/https?:/);
  });

  it('has tables that a screen reader can read, and pictures with a name and a description', () => {
    expect(page.match(/<table>/g)).toHaveLength(1 + reports.length);
    expect(page.match(/<table>\n<caption>/g)).toHaveLength(1 + reports.length);
    expect(page).not.toMatch(/<th(?! scope|ead)/);
    const pictures = page.match(/<svg[^>]*role="img" aria-labelledby="[^"]+"/g);
    // The tiles of each run, the time of all, and quality against cost.
    expect(pictures).toHaveLength(reports.length + 2);
    const ids = [...page.matchAll(/\sid="([^"]+)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const [, wanted] of page.matchAll(/aria-labelledby="([^"]+)"/g)) {
      expect(wanted.split(' ').every((id) => ids.includes(id))).toBe(true);
    }
    // On a dark page nothing of a picture stays white, and points have their other colour.
    expect(page).toMatch(/prefers-color-scheme: dark/);
    expect(page).toMatch(/svg \*\)\[fill="#ffffff"\]:not\(pattern \*\) \{ fill: var\(--ground\); \}/);
    expect(page).toMatch(/class="point[^"]*" style="--on-dark:#[0-9a-f]{6}"/);
  });

  it('draws no quality against cost of runs that do not compare, and says why', () => {
    const apart = htmlReport([reportOf(), reportOf({ path: 'b.md', tokens: 90 })]);
    expect(apart).not.toContain('quality-cost');
    expect(apart).toContain('these runs do not compare. They differ in prompt, number of tokens.');
    expect(htmlReport([reportOf(), reportOf({ verdict: 'failed' })])).toContain('run 2, FAILED');
  });

  it('draws the tiles of the plan', () => {
    const [, tiles] = htmlReport([reports[0]]).split('id="run-1-tiles-title"');
    const drawn = [...tiles.matchAll(/<g fill="[^"]*" shape-rendering="crispEdges">(.*?)<\/g>/g)].map(([, inside]) => inside).join('');
    const cell = 640 / reports[0].plan.blocks;
    const areas = [...drawn.matchAll(/width="([\d.]+)" height="([\d.]+)"/g)].map(
      ([, width, height]) => (Number(width) * Number(height)) / cell ** 2,
    );
    // Sides are rounded to hundredths of a pixel.
    expect(areas.reduce((sum, area) => sum + area, 0)).toBeCloseTo(reports[0].plan.tiles, 1);
    expect(page).not.toMatch(/="[^"]*(NaN|undefined|Infinity)/);
  });

  it.each(hostile)('shows %j as it is', (name) => {
    const nameless = htmlReport([named('x')]);
    const shown = htmlReport([named(name)]);
    const tags = (html: string): string[] => html.match(/<[^>]*>/g) ?? [];
    expect(tags(shown)).toEqual(tags(nameless));
    expect(shown).not.toMatch(/[^\P{Cc}\n]|[\p{Cf}\p{Cs}]/u);
  });

  it('takes a prompt of sixteen million tokens', () => {
    const long = reportOf();
    const huge = htmlReport([
      { ...long, prompt: { ...long.prompt, tokens: 16_777_216 }, plan: { ...long.plan, blockSize: 1, blocks: 16_777_216 } },
    ]);
    expect(huge.length).toBeLessThan(100_000);
  });
});

describe('runs as JSON', () => {
  it('is what two-heads report reads', () => {
    expect(reportsFrom(jsonReport(reports), 'runs.json')).toEqual(reports);
    expect(exportFormats.map(({ ending }) => ending)).toEqual(['html', 'md', 'csv', 'json']);
  });
});

describe('a run past the trained length', () => {
  const past = reportOf({ tokens: 100, trainedTokens: 40 });
  const note = '100 tokens are past the 40 that the model was trained on: its predictions there are worse under any mask.';

  it('says so in every format, with quality on both sides', () => {
    for (const write of [markdownReport, htmlReport]) {
      const text = write([past]);
      for (const part of [
        '100 of 40 tokens, 250%',
        note,
        'Quality within 40 tokens',
        'mean KL 0.03125 nats',
        'Quality past 40 tokens',
        'mean KL 0.5 nats',
      ]) {
        expect(text).toContain(part);
      }
    }
    const [header, row, inside] = fieldsOf(csvReport([past, reportOf()]));
    const field = (name: string): string[] => [row, inside].map((cells) => cells[header.indexOf(name)]);
    expect(field('trained length (tokens)')).toEqual(['40', '']);
    expect(field('mean KL within trained length (nats)')).toEqual(['0.03125', '']);
    expect(field('mean KL past trained length (nats)')).toEqual(['0.5', '']);
    expect(field('perplexity past trained length')).toEqual(['14', '']);
    expect(field('notes')).toEqual([note, '']);
    expect(JSON.parse(jsonReport([past]))).toMatchObject([{ model: { shape: { trainedTokens: 40 } }, plan: { notes: [note] } }]);
  });

  it('is read again as it was written, and one of an earlier version without it', () => {
    expect(reportsFrom(jsonReport([past, reportOf()]), 'runs.json')).toEqual([past, reportOf()]);
    const broken = { ...past, quality: { ...past.quality, byTraining: { trainedTokens: 40 } } };
    expect(() => reportsFrom(JSON.stringify(broken), 'runs.json')).toThrow(/quality\.byTraining\.within/);
  });

  it('is named apart from what other commands write', () => {
    expect(() => reportsFrom('{ "shards": [], "run": {} }', 's.json')).toThrow(/^s\.json holds a run in shards, and nothing that is read/);
    expect(() => reportsFrom('{ "continuation": {} }', 'g.json')).toThrow(/^g\.json holds a continuation, and nothing that is read here/);
    expect(() => reportsFrom('{ "packed": {}, "separate": {} }', 'p.json')).toThrow(/^p\.json holds a pack, and nothing that is read here/);
    expect(() => reportsFrom('{ "experiment": {}, "points": [] }', 'e.json')).toThrow(
      /^e\.json holds an evaluation, and nothing that is read here; .* --picture\./,
    );
    const lines = '{"version":1,"unit":"a","result":{}}\n{"version":1,"unit":"b","result":{}}\n';
    expect(() => reportsFrom(lines, 'r.jsonl')).toThrow(
      /^r\.jsonl holds results of an experiment, and nothing that is read here; two-heads run reads them/,
    );
  });
});

import { describe, expect, it } from 'vitest';
import { InputError } from '../../../src/core/errors';
import { budgetTable } from '../../../src/core/evaluate/budgets';
import { readText } from '../../../src/core/options/read';
import { type Io, linePrinter, print, writeWhole } from '../../../src/cli/io';
import { complain } from '../../../src/cli/complain';
import { pairs, table } from '../../../src/cli/table';
import { run } from '../../support/cli';

const name = 'a\u001b[2J\n::error::b\u202e.md';
const escaped = 'a\\u{1b}[2J\\u{a}::error::b\\u{202e}.md';

describe('what nobody sees in a name', () => {
  it('is escaped in tables and pairs, a line for each row', () => {
    expect(table(['prompt', 'is'], [[name, '1']]).split('\n')).toEqual([expect.stringMatching(/^prompt +is$/), `${escaped}   1`]);
    expect(pairs([['prompt', name]])).toBe(`  prompt  ${escaped}`);
  });

  it('is escaped in results and progress', () => {
    let said = '';
    const stream = { write: (text: string) => (said += text) };
    const io = { stdout: stream, stderr: stream } as unknown as Io;
    print(io, {}, {}, () => 'a\u001b[2J\n\tb\u202e');
    linePrinter(io)(0, 'simulate: \u001b[2J');
    expect(said).toBe('a\\u{1b}[2J\n\tb\\u{202e}\nsimulate: \\u{1b}[2J\n');
  });

  it('is escaped in complaints', () => {
    let said = '';
    complain(new InputError(`b\u001b[2J\u202e.md is wrong.`), { stderr: { write: (text) => (said += text) } });
    expect(said).toBe('two-heads: b\\u{1b}[2J\\u{202e}.md is wrong.\n');
  });
});

describe('flags', () => {
  it.each(['0x10', '0b1', '0o7', 'Infinity', ''])('of numbers are no %j', (text) => {
    expect(() => readText(budgetTable.memoryMiB, text, '--max-memory')).toThrow(/--max-memory of ".*" is not possible; use a/);
    expect(() => readText(budgetTable.calls, text, '--max-calls')).toThrow(/--max-calls of ".*" is not possible; use a/);
  });

  it.each([
    [['check', 'a.two-heads.json', '--max-calls', '5', '--max-calls', '600'], 'max-calls', '5 and 600'],
    [['evaluate', 'a.md', '--context', '100', '--context', '150'], 'context', '100 and 150'],
    [['check', 'a.two-heads.json', '--junit', 'a.xml', '--junit=b.xml'], 'junit', 'a.xml and b.xml'],
    [['sweep', 'a.md', '--block', '32', '--block', '64,128'], 'block', '32 and 64,128'],
  ])('are refused where one is given twice: %j', async (args, flag, both) => {
    const { code, stderr } = await run(args);
    expect(stderr).toBe(`two-heads: --${flag} is given twice, ${both}, of which only the last would count; give it once.\n`);
    expect(code).toBe(2);
  });

  it.runIf(process.platform === 'linux')('of files say to make room on a full disk', async () => {
    await expect(writeWhole('/dev/full', 'text')).rejects.toThrow(/^--out \/dev\/full cannot be written \(ENOSPC.*\); make room, or give/);
  });
});

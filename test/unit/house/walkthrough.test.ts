import { afterAll, expect, it } from 'vitest';
import { HouseCopy } from '../../support/house';
import { temporaryFolder } from '../../support/temporary';
import { architecture, command, dilatedWindow, paletteCommand, plannedType, section } from './additions';

/** The project with everything added at once: compiled twice, it tells of each addition. */
const house = new HouseCopy(temporaryFolder(afterAll));

it('each addition touches as many files as docs/architecture.md says', () => {
  expect([dilatedWindow, architecture, plannedType, command, paletteCommand, section].map((additions) => house.add(additions))).toEqual([
    2, 1, 1, 2, 1, 3,
  ]);
});

it('compiles: only the host does not fill the new field of the snapshot yet, and the compiler says where it has to', () => {
  expect(house.complaints('webview')).toBe('');
  expect(house.complaints('.')).toMatch(/^src\/extension\/panel\/snapshot\.ts\S* error \S+ Property 'blockCount' is missing[^\n]*\n$/);
});

it('a scenario that was added is planned, run and proved', () => {
  const help = house.run('src/cli/main.ts', 'plan', '--help');
  expect(help).toContain('--dilation <d>');
  const sample = 'media/samples/long-prompt.md';
  const flags = ['--scenario', 'dilated-window', '--window', '8', '--dilation', '3', '--max-tokens', '200', '--block', '32'];
  const { scenario, plan, fidelity } = JSON.parse(
    house
      .run('src/cli/main.ts', 'simulate', sample, ...flags, '--json', '--no-quality')
      .replace(/^[^{]*/, '')
      .replace(/}[^}]*$/, '}'),
  ) as {
    scenario: unknown;
    plan: { visiblePairs: number; bound: { theorem: string } };
    fidelity: { maxAbsError: number };
  };
  expect(scenario).toEqual({ kind: 'dilated-window', window: 8, dilation: 3 });
  expect(plan.visiblePairs).toBe(
    Array.from({ length: 200 }, (_, query) => Math.min(8, Math.floor(query / 3) + 1)).reduce((sum, pairs) => sum + pairs),
  );
  expect(plan.bound.theorem).toBe('Theorem 3.4, dilated window');
  expect(fidelity.maxAbsError).toBeLessThan(1e-4);
  expect(house.run('src/cli/main.ts', 'plan', sample, '--scenario', 'causal', '--dilation', '3')).toContain('choose dilated-window');
  expect(house.run('src/cli/main.ts', 'schema')).toContain('dilated-window');
});

it('a command that was added runs', () => {
  expect(house.run('src/cli/main.ts', 'scenarios')).toContain('attention-sink\n');
});

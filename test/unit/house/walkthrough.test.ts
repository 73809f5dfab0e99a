import { expect, it } from 'vitest';
import { type Addition, HouseCopy } from '../../support/house';
import { temporaryFolder } from '../../support/temporary';
import { architecture, command, dilatedWindow, paletteCommand, section } from './additions';

/** The project with something added, which touches so many files and no others. */
function houseWith(additions: readonly Addition[], files: number): HouseCopy {
  const house = new HouseCopy(temporaryFolder());
  expect(house.add(additions)).toBe(files);
  return house;
}

it('a scenario is its own file and its line in the registry', () => {
  const house = houseWith(dilatedWindow, 2);
  expect(house.complaints('.')).toBe('');
  expect(house.complaints('webview')).toBe('');
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

it('a member of the Llama family is a line in one file', () => {
  expect(houseWith(architecture, 1).complaints('.')).toBe('');
});

it('a command is its own file and its line in the list', () => {
  const house = houseWith(command, 2);
  expect(house.complaints('.')).toBe('');
  expect(house.run('src/cli/main.ts', 'scenarios')).toContain('attention-sink\n');
});

it('a command of the palette is an entry in one file', () => {
  expect(houseWith(paletteCommand, 1).complaints('.')).toBe('');
});

it('a section of the panel is its own file, its line in the page, its field in the snapshot and what fills it', () => {
  const house = houseWith(section, 3);
  expect(house.complaints('webview')).toBe('');
  // The host does not fill the field yet, and the compiler says where it has to.
  expect(house.complaints('.')).toMatch(/^src\/extension\/panel\/snapshot\.ts\S* error \S+ Property 'blockCount' is missing/);
});

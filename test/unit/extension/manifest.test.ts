import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { optionNames } from '../../../src/core/options/table';
import { numberParameters, textParameters } from '../../../src/core/scenario/scenario';
import { type Manifest, manifestOf, manifestTexts } from '../../../src/extension/manifest/manifest';
import { root } from '../../support/paths';

/** An entry of a menu, or a key. */
interface MenuEntry {
  readonly command?: string;
  readonly submenu?: string;
  readonly when?: string;
}

/** A setting as the manifest has it. */
interface Setting {
  readonly order: number;
  readonly markdownDescription: string;
  readonly tags?: readonly string[];
  readonly enum?: readonly string[];
  readonly enumDescriptions?: readonly string[];
  readonly markdownEnumDescriptions?: readonly string[];
  readonly scope?: string;
}

const english = JSON.parse(readFileSync(join(root, 'package.nls.json'), 'utf8')) as Readonly<Record<string, string>>;
/** The manifest as VS Code shows it in English. */
const shown = readFileSync(join(root, 'package.json'), 'utf8').replace(/"%([\w.]+)%"/g, (_, key: string) => JSON.stringify(english[key]));
const manifest = JSON.parse(shown) as {
  readonly icon: string;
  readonly capabilities: {
    readonly untrustedWorkspaces: { readonly supported: unknown; readonly restrictedConfigurations: readonly string[] };
  };
  readonly contributes: {
    readonly commands: readonly { readonly command: string }[];
    readonly menus: Readonly<Record<string, readonly MenuEntry[]>>;
    readonly submenus: readonly { readonly id: string }[];
    readonly keybindings: readonly MenuEntry[];
    readonly colors: readonly { readonly id: string; readonly defaults: Readonly<Record<string, string>> }[];
    readonly configuration: readonly {
      readonly title: string;
      readonly order: number;
      readonly properties: Readonly<Record<string, Setting>>;
    }[];
  };
};
const groups = manifest.contributes.configuration;
const settings = Object.assign({}, ...groups.map(({ properties }) => properties)) as Readonly<Record<string, Setting>>;

it('groups its settings in an order, describes each, and links only to settings that exist', () => {
  expect(groups.map(({ order }) => order)).toEqual(groups.map((_, index) => index + 1));
  for (const { properties } of groups) {
    expect(Object.values(properties).map(({ order }) => order)).toEqual(Object.keys(properties).map((_, index) => index + 1));
  }
  for (const [name, setting] of Object.entries(settings)) {
    expect(setting.markdownDescription, name).toMatch(/\.$/);
    expect(setting.tags, name).toBeDefined();
    expect((setting.enumDescriptions ?? setting.markdownEnumDescriptions)?.length, name).toBe(setting.enum?.length);
    for (const [, link] of JSON.stringify(setting).matchAll(/#(twoHeads\.[\w.]+)#/g)) {
      expect(settings, name).toHaveProperty([link]);
    }
  }
});

it('has every setting in the table of docs/editor.md, and none there that is not', () => {
  const [, table] = /^## Settings\n([^]*?)^## /m.exec(readFileSync(join(root, 'docs', 'editor.md'), 'utf8')) ?? [];
  const named = [...table.matchAll(/^\|([^|]*)\|/gm)].flatMap(([, cell]) =>
    [...cell.matchAll(/`(twoHeads\.[\w.]+)`/g)].map(([, name]) => name),
  );
  expect(named.sort()).toEqual(Object.keys(settings).sort());
});

// `npm run manifest` is this test with --update, which writes the files.
it('follows from options, scenarios and commands: run `npm run manifest` where it does not', async () => {
  const file = (path: string): string => readFileSync(join(root, path), 'utf8');
  const texts = (path: string): Record<string, string> => JSON.parse(file(path)) as Record<string, string>;
  const written = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
  const german = texts('l10n/bundle.l10n.de.json');
  await expect(written(manifestOf(JSON.parse(file('package.json')) as Manifest))).toMatchFileSnapshot(join(root, 'package.json'));
  await expect(written(manifestTexts(texts('package.nls.json')))).toMatchFileSnapshot(join(root, 'package.nls.json'));
  await expect(written(manifestTexts(texts('package.nls.de.json'), german))).toMatchFileSnapshot(join(root, 'package.nls.de.json'));
});

it('has a setting for every option and for every parameter of a scenario', () => {
  for (const name of [
    'scenario',
    ...optionNames,
    ...numberParameters.map((each) => each.name),
    ...textParameters.map((each) => each.flag),
  ]) {
    expect(settings).toHaveProperty([`twoHeads.${name}`]);
  }
});

it("takes what is the machine's business, and what decides what is planned, from no workspace that is not trusted", () => {
  const { supported, restrictedConfigurations } = manifest.capabilities.untrustedWorkspaces;
  expect(supported).toBe('limited');
  const ofTheMachine = Object.entries(settings).filter(([, { scope }]) => scope?.startsWith('machine') === true);
  const deciding = ['scenario', 'mask', 'cycle', 'languages', 'files'].map((name) => `twoHeads.${name}`);
  expect([...restrictedConfigurations].sort()).toEqual([...ofTheMachine.map(([name]) => name), ...deciding].sort());
});

it('offers in menus and on keys only what there is, under conditions that the code sets, and every submenu and colour of it is used', () => {
  const { commands, menus, submenus, keybindings, colors } = manifest.contributes;
  const names = commands.map(({ command }) => command);
  const entries = [...Object.values(menus).flat(), ...keybindings];
  const source = sourceOf(join(root, 'src', 'extension'));
  for (const { command, submenu, when = '' } of entries) {
    expect(command === undefined ? submenus.map(({ id }) => id) : names).toContain(command ?? submenu);
    for (const [key] of when.replaceAll(/view(Item)? == \S+|config\.\S+|focusedView == \S+/g, '').matchAll(/twoHeads\.\w+/g)) {
      expect(source, key).toContain(`'${key}'`);
    }
  }
  submenus.forEach(({ id }) => {
    expect(entries.some(({ submenu }) => submenu === id)).toBe(true);
    expect(menus[id].length).toBeGreaterThan(2);
  });
  colors.forEach(({ id, defaults }) => {
    expect(source).toContain(id.startsWith('twoHeads.heat') ? '`twoHeads.heat${' : `'${id}'`);
    expect(Object.keys(defaults)).toEqual(['dark', 'light', 'highContrast', 'highContrastLight']);
  });
  // The palette offers what always makes sense without a condition.
  const always = names.filter((name) => !menus.commandPalette.some(({ command, when }) => command === name && when !== undefined));
  expect(always.map((name) => name.slice('twoHeads.'.length))).toEqual([
    'runLedger',
    'calibrate',
    'chooseScenario',
    'chooseBlockSize',
    'chooseModel',
    'getModel',
    'showMenu',
    'openPanel',
    'openSamplePrompt',
    'showLog',
  ]);
});

/** All TypeScript below a folder. */
function sourceOf(folder: string): string {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(join(folder, name), 'utf8'))
    .join('\n');
}

it('has an icon of 256 pixels, drawn from what is kept beside it', () => {
  const icon = readFileSync(join(root, manifest.icon));
  expect(icon.subarray(1, 4).toString()).toBe('PNG');
  expect([icon.readUInt32BE(16), icon.readUInt32BE(20)]).toEqual([256, 256]);
  expect(existsSync(join(root, manifest.icon.replace('.png', '.svg')))).toBe(true);
});

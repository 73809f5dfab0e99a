import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../paths';
import { emitter, onReset } from './events';
import { opened } from './files';
import { ConfigurationTarget } from './values';

/** What the manifest says of settings. */
interface Manifest {
  readonly capabilities: { readonly untrustedWorkspaces: { readonly restrictedConfigurations: readonly string[] } };
  readonly contributes: {
    readonly configuration: readonly { readonly properties: Readonly<Record<string, { readonly default: unknown }>> }[];
  };
}

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest;
/** As in an editor, the manifest's defaults come before those that the code gives. */
const defaults = new Map(
  manifest.contributes.configuration.flatMap(({ properties }) =>
    Object.entries(properties).map(([name, { default: standard }]): [string, unknown] => [name, standard]),
  ),
);

const user = new Map<string, unknown>();
const workspace = new Map<string, unknown>();
onReset(() => [user, workspace].forEach((values) => values.clear()));

/** Settings of a workspace that is not trusted are left out where the manifest says so. */
function inWorkspace(name: string): unknown {
  const restricted = manifest.capabilities.untrustedWorkspaces.restrictedConfigurations;
  return !opened.trusted && restricted.includes(name) ? undefined : workspace.get(name);
}

/** What a change of settings is asked. */
interface Change {
  affectsConfiguration(section: string): boolean;
}

const changed = emitter<Change>();
export const onDidChangeConfiguration = changed.event;

/** Changes a setting, as the settings editor does; undefined removes it. The event comes after the change. */
export function set(name: string, value: unknown, target: number = ConfigurationTarget.Global): void {
  const values = target === ConfigurationTarget.Global ? user : workspace;
  if (value === undefined) {
    values.delete(name);
  } else {
    values.set(name, value);
  }
  const isWithin = (inner: string, outer: string): boolean => inner === outer || inner.startsWith(`${outer}.`);
  changed.fire({ affectsConfiguration: (section) => isWithin(name, section) || isWithin(section, name) });
}

/** What the user's settings hold. */
export function userSettings(): Readonly<Record<string, unknown>> {
  return Object.fromEntries(user);
}

/** A section of the settings, as it is now. */
export function getConfiguration(section: string): {
  get(name: string, standard?: unknown): unknown;
  inspect(name: string): { readonly globalValue: unknown; readonly workspaceValue: unknown };
  update(name: string, value: unknown, target?: number): Promise<void>;
} {
  return {
    get: (name, standard) => {
      const key = `${section}.${name}`;
      return inWorkspace(key) ?? user.get(key) ?? defaults.get(key) ?? standard;
    },
    inspect: (name) => {
      const key = `${section}.${name}`;
      return { globalValue: user.get(key), workspaceValue: inWorkspace(key) };
    },
    update: (name, value, target = ConfigurationTarget.Workspace) => {
      set(`${section}.${name}`, value, target);
      return Promise.resolve();
    },
  };
}

import { defaultExperiment, type Experiment } from './experiment';

/** An experiment as a file with only what differs from the defaults: what a person reads. Its paths stay as they are. */
export function briefExperiment({ version, prompts, ...fields }: Experiment): string {
  const defaults = defaultExperiment as Readonly<Record<string, unknown>>;
  const own = Object.entries(fields).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(defaults[name]));
  return JSON.stringify({ version, prompts, ...Object.fromEntries(own) }, null, 2);
}

import { InputError } from '../core/errors';
import type { Option } from '../core/options/option';
import type { SimulationOptions } from '../core/options/table';
import { inputLimits } from '../engine/read/input/limits';
import { readRegularText } from '../engine/read/input/text';
import { checkForFleet } from '../fleet/rows';
import { passwordVariable } from '../fleet/address';
import { Broker } from '../fleet/broker';
import type { Given, Io } from './io';
import { flagText, textGiven } from './options';

const onOption: Option = {
  flag: 'on',
  symbol: 'url',
  description:
    'Measure on the workers of a broker, Redis or Valkey, such as rediss://user@host:6379. What they read, token ids, leaves this machine.',
  value: { type: 'text' },
};

const passwordFileOption: Option = {
  flag: 'password-file',
  symbol: 'file',
  description: `File with the broker's password; without it, ${passwordVariable} in the environment.`,
  value: { type: 'text' },
};

const authorityOption: Option = {
  flag: 'ca',
  symbol: 'file.pem',
  description: "Certificate of the authority that signed the broker's.",
  value: { type: 'text' },
};

/** Flags that name a broker to measure on. */
export const brokerOptions: readonly Option[] = [onOption, passwordFileOption, authorityOption];

/** Flags that name a broker to look at, or to work for. */
export const ownBrokerOptions: readonly Option[] = [
  { ...onOption, description: 'The broker, Redis or Valkey, such as redis://127.0.0.1:6379 or rediss://user@host:6379.' },
  passwordFileOption,
  authorityOption,
];

/**
 * Connects to the broker that flags name; undefined where they name none.
 *
 * @param options of what is to be run there
 * @throws InputError
 */
export async function brokerFrom(
  given: Given,
  options: Pick<SimulationOptions, 'provider' | 'threads'>,
  io: Io,
): Promise<Broker | undefined> {
  if (textGiven(onOption, given) !== undefined) {
    checkForFleet(options);
    return requiredBroker(given, io);
  }
  const idle = [passwordFileOption, authorityOption].find(({ flag }) => given[flag] !== undefined);
  if (idle !== undefined) {
    throw new InputError(`${flagText(idle.flag, given)} does nothing without --on; name a broker or leave it out.`);
  }
  return undefined;
}

/** Connects to the broker that a command cannot do without. @throws InputError */
export async function requiredBroker(given: Given, io: Io): Promise<Broker> {
  const url = textGiven(onOption, given);
  if (url === undefined) {
    throw new InputError('No broker is named; give one with --on, such as --on redis://127.0.0.1:6379.');
  }
  const [password, ca] = await Promise.all([passwordFileOption, authorityOption].map((option) => contentOf(option, given)));
  return Broker.open({ url, password: password?.replace(/\r?\n$/, '') ?? process.env[passwordVariable], ca }, fleetLog(io));
}

/** Takes lines about a fleet: to stderr, each with its time, as they come over hours. */
export function fleetLog({ stderr }: Pick<Io, 'stderr'>): (line: string) => void {
  return (line) => stderr.write(`${new Date().toISOString().slice(11, 19)} ${line}\n`);
}

async function contentOf(option: Option, given: Given): Promise<string | undefined> {
  const path = textGiven(option, given);
  return path === undefined
    ? undefined
    : readRegularText(path, inputLimits.secret, `give --${option.flag} a file that you may read`, `give --${option.flag} a smaller file`);
}

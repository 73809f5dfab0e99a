import { z } from 'zod';
import type { PageMessage } from '../../protocol/panel';

const whole = z.int().nonnegative();
const tile = { queryBlock: whole, keyBlock: whole };

/** The longest mask or cycle that the form sends, in characters. */
const longestText = 10_000;
/** The largest picture of a map, in bytes. */
const largestPicture = 64 * 1024 * 1024;

/** What the page's form holds: a scenario, its parameters and M. Which values make sense is checked where the choice is read. */
export const formChoice = z.object({
  kind: z.string().max(100),
  parameters: z.record(z.string().max(100), z.union([z.number(), z.string().max(longestText)])),
  blockSize: z.number(),
});

/** A message of each type. */
const messages = {
  ready: z.object({}),
  choose: z.object({ choice: formChoice }),
  simulate: z.object({}),
  compare: z.object({}),
  'run-ledger': z.object({}),
  evaluate: z.object({}),
  calibrate: z.object({}),
  'open-settings': z.object({}),
  cancel: z.object({}),
  'select-tile': z.object(tile),
  'save-picture': z.object({
    format: z.enum(['svg', 'png']),
    data: z.instanceof(Uint8Array).refine(({ length }) => length <= largestPicture, 'more than a picture has'),
  }),
  'read-tile': z.object({ request: whole, ...tile }),
} satisfies Readonly<Record<PageMessage['type'], z.ZodType>>;

const typed = z.object({ type: z.enum(Object.keys(messages) as PageMessage['type'][]) });

/**
 * A message of the panel's page, if it is one: what reaches the host may be of another version's page, or of whatever has taken
 * the page over.
 *
 * @returns the message, or in a few words why it is none
 */
export function readPageMessage(given: unknown): PageMessage | string {
  const { data } = typed.safeParse(given);
  if (data === undefined) {
    return 'of no known type';
  }
  const read = messages[data.type].safeParse(given);
  const { path, message } = read.error?.issues[0] ?? { path: [], message: '' };
  // Their kinds of scenario are checked where the choice is read.
  return read.success ? ({ ...read.data, type: data.type } as PageMessage) : `${data.type}: ${[...path, message].join(' ')}`;
}

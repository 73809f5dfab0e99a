import * as z from 'zod';
import { labParts, type PageMessage } from '../../protocol/panel';

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
export const panelMessages = {
  ready: z.object({}),
  choose: z.object({ choice: formChoice }),
  simulate: z.object({}),
  compare: z.object({}),
  'run-ledger': z.object({}),
  'open-lab': z.object({ part: z.enum(labParts).nullable() }),
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

/** A message of the panel's page. Its kinds of scenario are checked where the choice is read. */
export const readPageMessage = messageReader<PageMessage>(panelMessages);

/** Reads a message of a page, if it is one. @returns the message, or in a few words why it is none */
export type MessageReader<Message> = (given: unknown) => Message | string;

/**
 * What reads the messages of a page: what reaches the host may be of another version's page, or of whatever has taken the page over.
 *
 * @param forms of each type of message, without the type
 */
export function messageReader<Message extends { readonly type: string }>(
  forms: Readonly<Record<Message['type'], z.ZodType>>,
): MessageReader<Message> {
  const typed = z.object({ type: z.enum(Object.keys(forms) as Message['type'][]) });
  return (given) => {
    const { data } = typed.safeParse(given);
    if (data === undefined) {
      return 'of no known type';
    }
    const type = data.type;
    const read = forms[type].safeParse(given);
    const { path, message } = read.error?.issues[0] ?? { path: [], message: '' };
    return read.success ? ({ ...(read.data as object), type } as Message) : `${type}: ${[...path, message].join(' ')}`;
  };
}

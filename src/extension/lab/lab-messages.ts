import * as z from 'zod';
import type { LabPageMessage } from '../../protocol/lab';
import type { PageMessage } from '../../protocol/panel';
import { messageReader, panelMessages } from '../panel/page-messages';

const whole = z.int().nonnegative();
const range = z.object({ from: whole, to: whole }).refine(({ from, to }) => from < to, 'a range that ends before it begins');

/** A message of each type. */
const messages = {
  ready: z.object({}),
  measure: z.object({}),
  run: z.object({}),
  compare: z.object({}),
  evaluate: z.object({}),
  cancel: z.object({}),
  'open-text': z.object({}),
  brush: z.object({ range: range.nullable() }),
  reveal: z.object({ range }),
} satisfies Readonly<Record<LabPageMessage['type'], z.ZodType>>;

/** A message of the lab's page, which is also a page of the panel's feed. */
export const readLabMessage = messageReader<LabPageMessage | PageMessage>({ ...panelMessages, ...messages });

/** Whether a message is the lab's own, and not for the feed alone. */
export function isLabMessage(message: LabPageMessage | PageMessage): message is LabPageMessage {
  return Object.hasOwn(messages, message.type);
}

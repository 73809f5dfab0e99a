import type { HostMessage } from '../src/protocol/panel';
import { isRecord } from './record';

/** Field of each message that carries what it says, with the test that it is there. */
const payloads: Readonly<Record<HostMessage['type'], (message: Readonly<Record<string, unknown>>) => boolean>> = {
  snapshot: ({ snapshot }) => isRecord(snapshot) && Array.isArray(snapshot['runs']) && isRecord(snapshot['form']),
  'cost-curves': ({ curves }) => curves === null || (isRecord(curves) && Array.isArray(curves['curves'])),
  evaluation: ({ evaluation }) => evaluation === null || (isRecord(evaluation) && Array.isArray(evaluation['points'])),
  progress: ({ progress }) => isRecord(progress) && typeof progress['fraction'] === 'number',
  place: ({ place }) => isRecord(place),
  'tile-text': ({ request, queries, keys }) =>
    Number.isInteger(request) && typeof queries === 'string' && (keys === null || typeof keys === 'string'),
};

/** The host's message in `data`, or undefined for anything else that may reach the window. */
export function hostMessageOf(data: unknown): HostMessage | undefined {
  if (!isRecord(data) || typeof data['type'] !== 'string' || !Object.hasOwn(payloads, data['type'])) {
    return undefined;
  }
  // The host builds its messages from the same union; the payload test guards against other senders.
  return payloads[data['type'] as HostMessage['type']](data) ? (data as unknown as HostMessage) : undefined;
}

import { withNumbers } from '../../src/protocol/numbers';
import type { LabHostMessage } from '../../src/protocol/lab';
import '../l10n';
import { Host, hostMessageOf, isRecord } from '../host';
import { ThemeWatcher } from '../theme';
import { registerComponents } from '../ui/toolkit';
import { Lab } from './lab';

/** Per type of message: tests that its payload is there. */
const payloads: Readonly<Record<LabHostMessage['type'], (message: Readonly<Record<string, unknown>>) => boolean>> = {
  lab: ({ snapshot }) => isRecord(snapshot) && Array.isArray(snapshot['runs']),
  atlas: ({ atlas }) => atlas === null || (isRecord(atlas) && isRecord(atlas['atlas'])),
  experiment: ({ experiment }) => experiment === null || isRecord(experiment),
  progress: ({ progress }) => isRecord(progress) && typeof progress['fraction'] === 'number',
  selected: ({ range }) => range === null || isRecord(range),
  show: ({ part }) => typeof part === 'string',
};

/** Whether what reached the window is a message of the host. */
function isHostMessage(data: unknown): data is LabHostMessage {
  return (
    isRecord(data) &&
    typeof data['type'] === 'string' &&
    Object.hasOwn(payloads, data['type']) &&
    payloads[data['type'] as LabHostMessage['type']](data)
  );
}

registerComponents();
const host = new Host();
const lab = new Lab(document.getElementById('app') ?? document.body, host, new ThemeWatcher('editor'));

window.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
  const message = withNumbers(data);
  const ours = isHostMessage(message) ? message : hostMessageOf(message);
  if (ours !== undefined) {
    lab.apply(ours);
  }
});
host.post({ type: 'ready' });

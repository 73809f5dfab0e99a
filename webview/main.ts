import { withNumbers } from '../src/protocol/numbers';
import './l10n';
import { Host, hostMessageOf } from './host';
import { Panel } from './panel';
import { ThemeWatcher } from './theme';
import { registerComponents } from './ui/toolkit';

registerComponents();
const host = new Host();
const panel = new Panel(document.getElementById('app') ?? document.body, host, new ThemeWatcher());

window.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
  const message = hostMessageOf(withNumbers(data));
  if (message !== undefined) {
    panel.apply(message);
  }
});
host.post({ type: 'ready' });

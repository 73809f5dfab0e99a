import { readdirSync, readFileSync } from 'node:fs';
import { it } from 'vitest';
import { scenarioLabel } from '../../../src/core/scenario/scenario';
import { parseConfig } from '../../../src/engine/read/model/config';
it('x', () => {
  for (const d of readdirSync('test/fixtures/configs')) {
    if (d === 'README.md') continue;
    try {
      const c = parseConfig(readFileSync(`test/fixtures/configs/${d}/config.json`, 'utf8'), 'config.json');
      const s = c.shape;
      const f = (k: any) => `h${k.heads} kv${k.keyValueHeads} m${k.headWidth}${k.valueWidth ? '/' + k.valueWidth : ''} ff${k.feedForwardWidth}${k.feedForward ?? ''} p${k.projection ?? '-'}`;
      console.log(`${d}: L${s.layers} d${s.width} ${f(s)} | ${scenarioLabel(s.attention!)} | ${((s.parameters ?? 0) / 1e9).toFixed(2)}B trained ${s.trainedTokens}\n` + (s.kinds ?? []).map((k) => `     ${k.layers.length} [${k.layers.slice(0, 4)}..]: ${f(k)}`).join('\n') + `\n   notes: ${c.notes.join(' # ')}\n   lacks: ${c.lacks.join(' # ')}`);
    } catch (e) { console.log(`${d}: REFUSED ${(e as Error).message}`); }
  }
});

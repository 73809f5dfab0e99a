import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CancelledError, InputError } from '../../../src/core/errors';
import { defaultOptions } from '../../../src/core/options/table';
import { plainSource } from '../../../src/core/source/options';
import { documentOffset, textOffset } from '../../../src/core/source/pieces';
import { PlannerClient } from '../../../src/engine/process/planner-client';
import { changed, type TextChange } from '../../../src/core/text/edits';
import type { PlannedPromptData, PromptRequest } from '../../../src/engine/process/open-prompt';
import { openModel } from '../../../src/engine/read/model/load';
import { type ChunkPlaces, TokenPlaces } from '../../../src/engine/read/tokenizer/token-places';
import { PromptTokenizer } from '../../../src/engine/read/tokenizer/tokenizer';
import { endlessText, writeEndlessModel } from '../../support/endless-tokenizer';
import { modelsFolder, root, sampleText } from '../../support/paths';
import { temporaryFolder } from '../../support/temporary';

const request = {
  document: 'a',
  source: { ...plainSource, as: 'markdown' } as const,
  options: { ...defaultOptions, blockSize: 64 },
  candidates: [],
};
const whole = (text: string, version = 1): PromptRequest => ({ ...request, version, change: { text } });

/** The places after a result that follows others. */
function placesAfter(before: TokenPlaces, { places, before: own, after }: PlannedPromptData): TokenPlaces {
  return new TokenPlaces(before.chunksAfter(places), own, after);
}

const nothing: TokenPlaces = new TokenPlaces<ChunkPlaces>([], 0, 0);

describe('the planning thread', () => {
  let client: PlannerClient;
  let lines: string[];
  beforeEach(() => {
    lines = [];
    client = new PlannerClient(join(root, 'dist', 'planner.js'), undefined, (line) => lines.push(line));
  });
  afterEach(() => client.dispose());

  const planned = async (asked: PromptRequest): Promise<PlannedPromptData> => {
    const result = await client.call('plan', asked);
    if (result === 'unknown') {
      throw new Error('The thread does not know this version.');
    }
    return result;
  };

  it('reads a chat, follows its edits, and says where its messages and tokens stand', async () => {
    const folder = join(temporaryFolder(), 'model');
    cpSync(join(modelsFolder, 'tiny-docs-5m'), folder, { recursive: true });
    writeFileSync(join(folder, 'chat_template.jinja'), '{% for m in messages %}[{{ m.role }}] {{ m.content }}\n{% endfor %}');
    const asked = { ...request, document: 'file:///a.json', source: plainSource, options: { ...request.options, model: folder } };
    const text = JSON.stringify([
      { role: 'system', content: 'Be "brief".' },
      { role: 'user', content: 'A whale?' },
    ]);
    const first = await planned({ ...asked, version: 1, change: { text } });
    const before = placesAfter(nothing, first);
    expect([...first.sections.from]).toEqual([1, text.indexOf('{"role":"user"')]);
    expect([...first.sections.end]).toEqual([text.indexOf(',{"role":"user"'), text.length - 1]);
    const largest = await client.call('sections', { document: asked.document, most: 2 });
    expect(largest.map(({ title }) => title).sort()).toEqual(['system', 'user']);
    const user = textOffset(first.pieces, first.sections.from[1]);
    expect(user).toBe('[system] Be "brief".\n'.length);
    expect(documentOffset(first.pieces, user + '[user] '.length)).toBe(text.indexOf('A whale'));
    const changes = [{ offset: text.indexOf('whale'), removed: 5, inserted: 'bird \\ud83d\\ude00' }];
    const edited = await planned({ ...asked, version: 2, change: { since: 1, changes } });
    const tokenizer = await PromptTokenizer.load(folder);
    const index = tokenizer.bare.index('[system] Be "brief".\n[user] A bird 😀?\n');
    expect(edited.plan.tokens).toBe(index.tokens);
    expect([edited.before, edited.after]).toEqual([0, 0]);
    expect(placesAfter(before, edited).offsetOf(index.tokens)).toBe(index.text.length);
    await expect(planned({ ...asked, version: 3, change: { text: '[{"role":"user","content":"x"},{"role": }]' } })).rejects.toThrow(
      /^a\.json is not JSON at line 1/,
    );
    const [document] = await client.call('planText', {
      path: 'a.json',
      text,
      options: asked.options,
      candidates: [],
      scenarios: [{ kind: 'causal' }],
      named: true,
    });
    expect(document.prompt.parts?.map(({ role }) => role)).toEqual(['system', 'user']);
  });

  it('follows edits, and tells only the places that changed', async () => {
    const { folder } = await openModel('tiny-docs-5m', modelsFolder);
    const tokenizer = await PromptTokenizer.load(folder);
    let text = sampleText().repeat(3);
    let places = placesAfter(nothing, await planned(whole(text)));
    let chunks = 0;
    for (let version = 2; version < 12; version += 1) {
      const offset = Math.floor((text.length * version) / 13);
      const changes: TextChange[] = [
        { offset, removed: 3, inserted: 'one more word ' },
        { offset: 0, removed: version % 2, inserted: version % 3 === 0 ? '# ' : '' },
      ];
      text = changed(text, changes);
      const data = await planned({ ...request, version, change: { since: version - 1, changes } });
      chunks += data.places.counts.length;
      places = placesAfter(places, data);
      const index = tokenizer.index(text);
      expect(data.plan.tokens).toBe(index.tokens);
      for (let token = 0; token <= index.tokens; token += 37) {
        expect(places.offsetOf(token)).toBe(index.offsetOf(token));
      }
    }
    expect(chunks).toBeLessThan(10 * 7);
  });

  it('asks for the whole text where it has another version, also after it was ended', async () => {
    const edit = { since: 1, changes: [{ offset: 0, removed: 0, inserted: 'x' }] };
    expect(await client.call('plan', { ...request, version: 2, change: edit })).toBe('unknown');
    await planned(whole('Some text.'));
    expect(await client.call('plan', { ...request, version: 2, change: edit })).not.toBe('unknown');
    await client.call('close', { document: 'a' });
    expect(await client.call('plan', { ...request, version: 3, change: { ...edit, since: 2 } })).toBe('unknown');
  });

  it('has the text of a call that was cancelled or refused, so that the next edit builds on it', async () => {
    await planned(whole('Some text.'));
    const controller = new AbortController();
    const change = { since: 1, changes: [{ offset: 0, removed: 10, inserted: 'abc '.repeat(400_000) }] };
    const running = client.call('plan', { ...request, version: 2, change }, { signal: controller.signal });
    controller.abort();
    await running.catch((error: unknown) => expect(error).toBeInstanceOf(CancelledError));
    const emptied = { since: 2, changes: [{ offset: 0, removed: 1_600_000, inserted: '' }] };
    await expect(client.call('plan', { ...request, version: 3, change: emptied })).rejects.toThrow(InputError);
    const { plan } = await planned({
      ...request,
      version: 4,
      change: { since: 3, changes: [{ offset: 0, removed: 0, inserted: 'Again.' }] },
    });
    expect(plan.tokens).toBeLessThan(8);
    expect(lines.some((line) => line.includes('killing it'))).toBe(false);
  });

  it('is ended where a tokenizer never ends, and the next call starts another', async () => {
    const folder = temporaryFolder();
    writeEndlessModel(folder);
    const options = { ...request.options, model: folder };
    // So long that its pattern has several seconds.
    const running = client.call('plan', { ...whole('b'.repeat(3_000_000) + endlessText), options }, { signal: AbortSignal.timeout(2000) });
    await expect(running).rejects.toBeInstanceOf(CancelledError);
    expect(lines.join()).toMatch(/did not stop .* killing it/);
    expect((await planned(whole('Some text.'))).plan.tokens).toBeGreaterThan(1);
  });

  it('plans a text under every scenario that it can have, in English', async () => {
    const scenarios = [{ kind: 'causal' }, { kind: 'sliding-window', window: 64 }] as const;
    const documents = await client.call('planText', {
      path: 'p',
      text: sampleText(),
      options: request.options,
      candidates: [],
      scenarios,
      named: true,
    });
    expect(documents.map(({ scenario }) => scenario.kind)).toEqual(['causal', 'sliding-window']);
    expect(documents[0].prompt.sha256).toMatch(/^[0-9a-f]{64}$/);
  });
});

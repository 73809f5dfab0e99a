import { readFileSync, writeFileSync } from 'node:fs';
import { type Manifest, manifestOf, manifestTexts } from './manifest';

type Texts = Readonly<Record<string, string>>;

/**
 * `npm run manifest`: writes the parts of package.json, package.nls.json and package.nls.de.json that are derived from the
 * options.
 */
const read = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'));
const write = (path: string, value: unknown): void => writeFileSync(path, `${JSON.stringify(value, null, 2)}\n`);

write('package.json', manifestOf(read('package.json') as Manifest));
write('package.nls.json', manifestTexts(read('package.nls.json') as Texts));
write('package.nls.de.json', manifestTexts(read('package.nls.de.json') as Texts, read('l10n/bundle.l10n.de.json') as Texts));

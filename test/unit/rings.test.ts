import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { root } from '../support/paths';

/** What each ring may import: other rings, and packages by pattern. */
const rings: Record<string, { readonly rings: readonly string[]; readonly packages: RegExp }> = {
  'src/core': { rings: ['src/core'], packages: /^$/ },
  'src/protocol': { rings: ['src/core', 'src/protocol'], packages: /^$/ },
  'src/engine': {
    rings: ['src/core', 'src/engine', 'package.json'],
    packages:
      /^(node:|onnxruntime-node(\/package\.json)?$|zod$|@bufbuild\/protobuf|@huggingface\/tokenizers$|gpt-tokenizer\/encoding\/|safe-regex2$)/,
  },
  'src/cli': { rings: ['src/core', 'src/engine', 'src/cli', 'package.json'], packages: /^(node:|commander$)/ },
  'src/extension': { rings: ['src/core', 'src/engine', 'src/protocol', 'src/extension'], packages: /^(node:|vscode$|zod$)/ },
  webview: { rings: ['src/core', 'src/protocol', 'webview'], packages: /^(chart\.js|@vscode\/webview-ui-toolkit)/ },
};

function* sources(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      yield* sources(path);
    } else if (entry.name.endsWith('.ts')) {
      yield path;
    }
  }
}

it.each(Object.entries(rings))('%s imports only inwards', (ring, allowed) => {
  const files = [...sources(join(root, ring))];
  expect(files.length).toBeGreaterThan(0);
  for (const file of files) {
    for (const [, target] of readFileSync(file, 'utf8').matchAll(/(?:^(?:import\b|export\b|\}).*\bfrom|\bimport\s*\(?)\s*'([^']+)'/gm)) {
      const where = `${relative(root, file)} imports ${target}`;
      if (target.startsWith('.')) {
        const path = relative(root, resolve(file, '..', target));
        expect(
          allowed.rings.some((inner) => path === inner || path.startsWith(`${inner}/`)),
          where,
        ).toBe(true);
      } else {
        expect(target, where).toMatch(allowed.packages);
      }
    }
  }
});

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

/** The files that make a model what it is. */
const modelFiles = /^(config\.json|tokenizer\.json|tokenizer_config\.json|.*\.safetensors|.*\.safetensors\.index\.json)$/;

/** Hex SHA-256 of a model's configuration, tokenizer and weights: results of other weights must not be taken for its own. */
export async function modelDigest(folder: string): Promise<string> {
  const digest = createHash('sha256');
  for (const name of (await readdir(folder)).filter((each) => modelFiles.test(each)).sort()) {
    digest.update(`${name}\0`);
    await pipeline(createReadStream(join(folder, name)), async (chunks: AsyncIterable<Buffer>) => {
      for await (const chunk of chunks) {
        digest.update(chunk);
      }
    });
  }
  return digest.digest('hex');
}

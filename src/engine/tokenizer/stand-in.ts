import { z } from 'zod';
import { InputError } from '../../core/errors';
import { shown } from '../../core/text/printable';
import { encodings, type Encoding } from '../read/tokenizer/encodings';

/** The file in a model's folder that names an encoding in place of a `tokenizer.json`. */
export const standInName = 'tokenizer-stand-in.json';

/** An encoding that stands in for a model's tokenizer. */
export interface StandIn {
  readonly encoding: Encoding;
  readonly exact: boolean;
  readonly reason: string;
}

const standIn: z.ZodType<StandIn> = z.object({ encoding: z.enum(encodings), exact: z.boolean(), reason: z.string().min(1).max(300) });

/** Reads a stand-in. @param path named in errors @throws InputError where it is not JSON or lacks a field */
export function parseStandIn(text: string, path: string): StandIn {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new InputError(`${path} is not JSON; give {"encoding", "exact", "reason"}.`);
  }
  const parsed = standIn.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new InputError(
      `${path}: ${issue.path.join('.') || 'the file'}: ${shown(issue.message)}; give {"encoding": one of ${encodings.join(', ')}, "exact", "reason"}.`,
    );
  }
  return parsed.data;
}

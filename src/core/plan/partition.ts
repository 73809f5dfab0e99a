import { InputError } from '../errors';

/** The sequence cut into blocks; the last block may be shorter. */
export interface Partition {
  /** N. */
  readonly tokens: number;
  /** Tokens per block. */
  readonly blockSize: number;
  /** T = ceil(N / blockSize). */
  readonly blocks: number;
}

/** The longest prompt that Two Heads accepts: with more tokens, positions no longer fit the tensors' indices. */
export const maximumTokens = 16_777_216;

/**
 * Cuts N tokens into blocks. A block may be longer than the sequence; then there is one block.
 *
 * @throws InputError for N < 1 or above the limit
 */
export function partition(tokens: number, blockSize: number): Partition {
  if (!Number.isInteger(tokens) || tokens < 1) {
    throw new InputError(`The prompt has ${tokens} tokens; it needs at least 1.`);
  }
  if (tokens > maximumTokens) {
    throw new InputError(`The prompt has ${tokens} tokens; the limit is ${maximumTokens}: cut it with --max-tokens.`);
  }
  return { tokens, blockSize, blocks: Math.ceil(tokens / blockSize) };
}

/** @throws InputError for an M below 2 or above the limit */
export function checkBlockSize(blockSize: number): void {
  if (!Number.isInteger(blockSize) || blockSize < 2 || blockSize > maximumTokens) {
    throw new InputError(`Block size ${blockSize} is not possible; use a whole number of tokens from 2 to ${maximumTokens}.`);
  }
}

/** First token of a block. */
export function blockStart({ blockSize }: Pick<Partition, 'blockSize'>, block: number): number {
  return block * blockSize;
}

/** The token after the last one of a block. */
export function blockEnd({ tokens, blockSize }: Pick<Partition, 'tokens' | 'blockSize'>, block: number): number {
  return Math.min(tokens, (block + 1) * blockSize);
}

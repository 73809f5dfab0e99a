import type { ReadConfig } from '../architecture';
import { ggufConfig } from './config';
import { isRead } from './decode';
import { isRopeFactors } from './names';
import { mainType, type PlacedTensor, readGguf } from './parts';
import type { RopeFactors } from './rope';
import { bytesPerWeight, findFile, readValues } from './tensors';

/** What a GGUF file says that a plan needs. */
interface OpenedGguf {
  readonly config: ReadConfig;
  readonly storedBytes: number;
  readonly storedType: string;
}

/**
 * Reads what the GGUF files of a model say before their tensors, and the factors of its rope.
 *
 * @throws InputError if one is missing or broken, or the model cannot be planned
 */
export async function openGguf(path: string): Promise<OpenedGguf> {
  const model = await readGguf(path);
  const read = ggufConfig(model, path, await ropeFactors(model.tensors));
  const { fileBytes: storedBytes, tensors, metadata } = model;
  const architecture = metadata.get('general.architecture');
  const perWeight = bytesPerWeight(typeof architecture === 'string' ? architecture : '', tensors);
  const config = perWeight === undefined ? read : { ...withBytes(read, perWeight), run: read.run && withBytes(read.run, perWeight) };
  return { config, storedBytes, storedType: mainType(tensors) ?? 'no tensors' };
}

function withBytes<Of extends Pick<ReadConfig, 'shape'>>(config: Of, perWeight: number): Of {
  return { ...config, shape: { ...config.shape, bytesPerWeight: perWeight } };
}

/** More columns than any head has. */
const maximumFactors = 16_384;

/** The tensors of a rope, which are part of its configuration. */
async function ropeFactors(tensors: readonly PlacedTensor[]): Promise<RopeFactors> {
  const factors = new Map<string, Float32Array>();
  for (const tensor of tensors) {
    if (isRopeFactors(tensor.name) && isRead(tensor.type) && tensor.elements <= maximumFactors) {
      factors.set(tensor.name, readValues(await findFile(tensor.file), tensor, 0, tensor.elements));
    }
  }
  return factors;
}

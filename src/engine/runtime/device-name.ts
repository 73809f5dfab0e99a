import { readdirSync, readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import type { Provider } from '../../core/options/options';

/**
 * What a provider runs on, in words: the processor, the first NVIDIA card that the driver lists, or a software device that
 * the environment names. ONNX Runtime tells none of it; where nothing is found the provider's own name must do.
 */
export function deviceName(provider: Exclude<Provider, 'auto'>): string {
  if (provider === 'cpu') {
    return cpus()[0]?.model.trim() ?? process.arch;
  }
  const drivers = `${process.env.VK_ICD_FILENAMES ?? ''} ${process.env.VK_DRIVER_FILES ?? ''}`;
  if (provider === 'webgpu' && /swiftshader/i.test(drivers)) {
    return 'SwiftShader (software)';
  }
  return (provider === 'webgpu' || provider === 'cuda' ? nvidiaName() : undefined) ?? provider;
}

/** The model that the NVIDIA driver on Linux gives for its first card. */
function nvidiaName(folder = '/proc/driver/nvidia/gpus'): string | undefined {
  try {
    const [first] = readdirSync(folder);
    return /^Model:\s*(.+)$/m.exec(readFileSync(join(folder, first, 'information'), 'utf8'))?.[1].trim();
  } catch {
    return undefined;
  }
}

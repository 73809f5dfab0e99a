import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where other programs keep the models that they fetched. A folder may be missing. */
export interface ModelStores {
  /** Hugging Face's cache: a folder `models--org--name` for each repository. */
  readonly hub: string;
  /** LM Studio's stores, which hold `org/name/file.gguf`; the first is the one in use, the others are of earlier versions. */
  readonly lmStudio: readonly string[];
  /** Ollama's stores, which hold manifests and blobs: of the user, and on Linux of its service. */
  readonly ollama: readonly string[];
}

/**
 * The stores of this machine, as the programs themselves find them (huggingface_hub's `constants.py`, Ollama's `envconfig`).
 *
 * @param environment variables that name stores
 * @param home the user's folder, where they are by default, on Windows as well
 */
export function modelStores(
  environment: Readonly<Record<string, string | undefined>> = process.env,
  home = homedir(),
  platform: NodeJS.Platform = process.platform,
): ModelStores {
  // An empty variable is not set, as in both programs.
  const named = (name: string): string | undefined => {
    const value = environment[name]?.trim();
    return value === undefined || value === '' ? undefined : value.replace(/^~(?=[\\/]|$)/, home);
  };
  const hubHome = named('HF_HOME') ?? join(named('XDG_CACHE_HOME') ?? join(home, '.cache'), 'huggingface');
  const ollama = named('OLLAMA_MODELS');
  return {
    hub: named('HF_HUB_CACHE') ?? named('HUGGINGFACE_HUB_CACHE') ?? join(hubHome, 'hub'),
    lmStudio: [join(home, '.lmstudio', 'models'), join(home, '.cache', 'lm-studio', 'models')],
    ollama:
      ollama === undefined
        ? [join(home, '.ollama', 'models'), ...(platform === 'linux' ? ['/usr/share/ollama/.ollama/models'] : [])]
        : [ollama],
  };
}

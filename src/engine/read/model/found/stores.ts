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

/** Variables of a process's environment. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** What a variable names, with `~` as the user's folder; undefined where it is not set or empty, as in both programs. */
export function namedIn(environment: Environment, name: string, home: string): string | undefined {
  const value = environment[name]?.trim();
  return value === undefined || value === '' ? undefined : value.replace(/^~(?=[\\/]|$)/, home);
}

/** Hugging Face's folder, which holds the cache and the token. */
export function hubHome(environment: Environment, home: string): string {
  const caches = namedIn(environment, 'XDG_CACHE_HOME', home) ?? join(home, '.cache');
  return namedIn(environment, 'HF_HOME', home) ?? join(caches, 'huggingface');
}

/**
 * The stores of this machine, as the programs themselves find them (huggingface_hub's `constants.py`, Ollama's `envconfig`).
 *
 * @param environment variables that name stores
 * @param home the user's folder, where they are by default, on Windows as well
 */
export function modelStores(
  environment: Environment = process.env,
  home = homedir(),
  platform: NodeJS.Platform = process.platform,
): ModelStores {
  const named = (name: string): string | undefined => namedIn(environment, name, home);
  const ollama = named('OLLAMA_MODELS');
  return {
    hub: named('HF_HUB_CACHE') ?? named('HUGGINGFACE_HUB_CACHE') ?? join(hubHome(environment, home), 'hub'),
    lmStudio: [join(home, '.lmstudio', 'models'), join(home, '.cache', 'lm-studio', 'models')],
    ollama:
      ollama === undefined
        ? [join(home, '.ollama', 'models'), ...(platform === 'linux' ? ['/usr/share/ollama/.ollama/models'] : [])]
        : [ollama],
  };
}

import { adapters, safetensors, shardIndexes } from './checkpoints';
import { ggufBlocks, ggufFiles, ggufHeaders, ggufKeys } from './gguf';
import { ggufTokenizer } from './gguf-tokenizer';
import { calibrations, experiments, history, reports, results } from './kept';
import { masks, scenarios } from './masks';
import { configs, stores, texts, tokenizerFiles } from './models';
import { addresses, fleetMessages, hubAnswers } from './network';
import { pageMessages, processMessages } from './processes';
import { prompts, templates } from './prompts';
import { quantised } from './quantised';
import type { Reader } from './reader';

/** Every reader of outside input, by the name that `--only inputs.<name>` takes. */
export const readers: Readonly<Record<string, Reader>> = {
  ...{ configs, safetensors, shardIndexes, adapters, quantised, stores, texts },
  ...{ ggufHeaders, ggufKeys, ggufBlocks, ggufFiles, ggufTokenizer, tokenizerFiles },
  ...{ prompts, templates, masks, scenarios, experiments, results, reports, history, calibrations },
  ...{ fleetMessages, addresses, hubAnswers, pageMessages, processMessages },
};

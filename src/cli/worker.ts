import type { Option } from '../core/options/option';
import { optionTable, type SimulationOptions } from '../core/options/table';
import { EngineClient } from '../engine/process/engine-client';
import { describeEnvironment } from '../engine/machine';
import { workerModels } from '../fleet/models';
import { serve } from '../fleet/worker';
import { fleetLog, ownBrokerOptions, requiredBroker } from './broker';
import { type Command, readGiven, textGiven } from './options';

const modelsOption: Option = {
  flag: 'models',
  symbol: 'folder',
  description:
    'Folder with the models that this worker has: one, or one in each folder in it. Without it, the model that ships with Two Heads.',
  value: { type: 'text' },
};

const providerOption = {
  ...optionTable.provider,
  description: 'Execution provider of ONNX Runtime that this worker measures on.',
  value: { ...optionTable.provider.value, choices: optionTable.provider.value.choices.filter(({ value }) => value !== 'auto') },
  default: 'cpu',
} as const satisfies Option;

const idleExitOption: Option = {
  flag: 'idle-exit',
  symbol: 'seconds',
  description: 'Leave after so long without work; without it, the worker stays.',
  value: { type: 'whole', minimum: 1, maximum: 1e6 },
};

/** `two-heads worker`: measures rows of others' experiments. */
export const workerCommand: Command = {
  usage: 'worker',
  description: 'measure for experiments that run elsewhere; threads, executor and precision are those of each run',
  options: [...ownBrokerOptions, modelsOption, providerOption, idleExitOption],
  run: async (_args, given, io) => {
    const log = fleetLog(io);
    const seconds = readGiven(idleExitOption, given) as number | undefined;
    const provider = (readGiven(providerOption, given) ?? providerOption.default) as SimulationOptions['provider'];
    const broker = await requiredBroker(given, io);
    const models = await workerModels(textGiven(modelsOption, given) ?? io.modelsFolder, io.digests, log).catch((error: unknown) => {
      broker.close();
      throw error;
    });
    const engine = new EngineClient(io.engineEntry, undefined, log);
    const { twoHeads, onnxruntime } = describeEnvironment();
    try {
      await serve(
        { twoHeads, onnxruntime, provider, models, idleExitMs: seconds === undefined ? undefined : seconds * 1000 },
        { broker, engine, digests: io.digests, log, signal: io.signal },
      );
    } finally {
      engine.dispose();
      broker.close();
    }
  },
};

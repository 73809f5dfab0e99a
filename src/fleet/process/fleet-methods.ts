import type { ExperimentSummary } from '../../core/evaluate/report';
import type { Versions } from '../../core/fleet/worker-state';
import type { OnProgress, Progress } from '../../core/report/phases';
import { describeEnvironment } from '../../engine/machine';
import type { CallContext } from '../../engine/process/rpc';
import type { DigestStore } from '../../engine/store/digests';
import { readExperiment } from '../../engine/tasks/evaluate/experiment-file';
import { evaluate, type EvaluateRequest } from '../../engine/tasks/evaluate/run-experiment';
import type { Places } from '../../engine/tasks/plan';
import { type BrokerAddress, endpointOf } from '../address';
import { checkForFleet, onFleet } from '../rows';
import { type FleetState, fleetState } from '../state';
import { within } from '../broker';
import { BrokerConnection } from './connection';

/** The methods of the fleet process: messages and the client's calls are derived from this interface. */
export interface FleetMethods {
  /** Looks at a broker. @throws InputError where it cannot be used or does not answer */
  state(request: FleetRequest, context: CallContext): Promise<SeenFleet>;
  /** Runs an experiment on the workers of a broker. @throws InputError, CancelledError */
  evaluate(request: FleetRequest & { readonly request: EvaluateRequest }, context: CallContext): Promise<ExperimentSummary>;
}

/** What every method takes; plain data. */
interface FleetRequest {
  readonly address: BrokerAddress;
}

/** A broker's workers and jobs, and the versions of the one that looks. */
export interface SeenFleet extends FleetState {
  readonly own: Versions;
}

/** How long a look at a broker may take, in milliseconds: one that is away answers once it is back. */
const lookMs = 5000;

/** The methods of the fleet process. @param log takes a line where something changes that users should know */
export function fleetMethods(places: Places & { readonly digests: DigestStore }, log: (line: string) => void): FleetMethods {
  const listeners = new Set<(line: string) => void>();
  let last: string | undefined;
  const tell = (line: string): void => {
    // A view that polls a broker that cannot be used hears the same again and again.
    if (line !== last) {
      last = line;
      log(line);
    }
    listeners.forEach((listener) => listener(line));
  };
  const connection = new BrokerConnection(tell);
  return {
    state: async ({ address }) => {
      const state = await connection.use(address, (broker) => within(lookMs, fleetState(broker), endpointOf(address).name));
      const { twoHeads, onnxruntime } = describeEnvironment();
      return { ...state, own: { twoHeads, onnxruntime } };
    },
    evaluate: async ({ address, request }, { signal, onProgress }) => {
      const experiment = 'file' in request ? await readExperiment(request.file, places.modelsFolder) : request.experiment;
      checkForFleet(experiment, (name, value) => `"${name}": ${JSON.stringify(value)}`);
      const progress = fleetProgress(onProgress);
      listeners.add(progress.say);
      try {
        return await connection.use(address, (broker) =>
          evaluate(request, { ...places, signal, onProgress: progress.step, runner: onFleet(broker, tell) }),
        );
      } finally {
        listeners.delete(progress.say);
      }
    },
  };
}

/** Progress with lines about the fleet, each of which stays until the next step. */
function fleetProgress(onProgress: OnProgress): { readonly step: OnProgress; readonly say: (line: string) => void } {
  let latest: Progress = { fraction: 0, phase: 'quality', message: '' };
  return {
    step: (progress) => {
      latest = progress;
      onProgress(progress);
    },
    say: (line) => onProgress({ ...latest, message: line }),
  };
}

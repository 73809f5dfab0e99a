import type { OnProgress, Progress } from '../../core/report/phases';
import type { RunReport } from '../../core/report/report';
import { type Scenario, scenarioLabel } from '../../core/scenario/scenario';
import { promptFromText } from '../read/prompt';
import { calibrateProvider } from '../tasks/calibrate/calibrate';
import { compare, planComparison } from '../tasks/compare';
import { evaluate } from '../tasks/evaluate/run-experiment';
import { generate } from '../tasks/generate/generate';
import { runLedger } from '../tasks/ledger/ledger';
import type { Places } from '../tasks/plan';
import { simulate } from '../tasks/simulate';
import {
  type CallContext,
  type EngineMethods,
  type EngineRequest,
  type EngineResponse,
  type MethodName,
  type Result,
  toErrorData,
} from './rpc';

/** The engine's methods. */
export function engineMethods(places: Places): EngineMethods {
  return {
    simulate: ({ path, text, options }, context) => simulate(promptFromText(path, text), options, { ...context, ...places }),
    compare: async ({ path, text, options, ...wanted }, { signal, onProgress, onRun }) => {
      const planned = await planComparison(promptFromText(path, text), wanted, options, places);
      const count = planned.possible.length;
      const progressOf =
        (scenario: Scenario, index: number): OnProgress =>
        ({ fraction, phase, message }) =>
          onProgress({
            fraction: (index + fraction) / count,
            phase,
            message: `${scenarioLabel(scenario)} (${index + 1} of ${count}), ${message}`,
          });
      return compare(planned, options, { signal, progressOf, onRun });
    },
    generate: ({ path, text, options, generation }, context) =>
      generate(promptFromText(path, text), options, generation, { ...context, ...places }),
    evaluate: (request, context) => evaluate(request, { ...context, ...places }),
    ledger: (options, context) => runLedger(options, context),
    calibrate: (options, context) => calibrateProvider(options, { ...context, ...places }),
  };
}

/**
 * Answers requests with responses, over any channel.
 *
 * Calls may overlap; each can be cancelled between two calls of the oracle.
 * @param send delivers a response
 * @returns the function that receives requests
 */
export function engineHandler(methods: EngineMethods, send: (response: EngineResponse) => void): (request: EngineRequest) => Promise<void> {
  const running = new Map<number, AbortController>();
  return async (request) => {
    if (request.type === 'cancel') {
      running.get(request.id)?.abort();
      return;
    }
    const { id } = request;
    const controller = new AbortController();
    running.set(id, controller);
    try {
      const context = {
        signal: controller.signal,
        onProgress: atMostEvery(progressIntervalMs, (progress: Progress) => send({ type: 'progress', id, progress })),
        onRun: (report: RunReport) => send({ type: 'run', id, report }),
      };
      send({ type: 'result', id, result: await callMethod(methods, request, context) });
    } catch (error) {
      send({ type: 'error', id, error: toErrorData(error) });
    } finally {
      running.delete(id);
    }
  };
}

/** Calls the method that a request names, with its argument. */
function callMethod(
  methods: EngineMethods,
  request: Extract<EngineRequest, { type: 'call' }>,
  context: CallContext,
): Promise<Result<MethodName>> {
  switch (request.method) {
    case 'simulate':
      return methods.simulate(request.argument, context);
    case 'compare':
      return methods.compare(request.argument, context);
    case 'generate':
      return methods.generate(request.argument, context);
    case 'evaluate':
      return methods.evaluate(request.argument, context);
    case 'ledger':
      return methods.ledger(request.argument, context);
    case 'calibrate':
      return methods.calibrate(request.argument, context);
  }
}

/** Least interval between progress messages. */
const progressIntervalMs = 50;

/** Drops calls that follow the previous one too soon. */
function atMostEvery<T>(milliseconds: number, act: (value: T) => void): (value: T) => void {
  let next = 0;
  return (value) => {
    if (performance.now() >= next) {
      act(value);
      next = performance.now() + milliseconds;
    }
  };
}

// First of all: what it sets is read when the library loads.
import './no-telemetry';

/** ONNX Runtime, as every module here gets it. */
export { env, InferenceSession, listSupportedBackends, Tensor } from 'onnxruntime-node';

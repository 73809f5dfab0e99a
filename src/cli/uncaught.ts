import { complain } from './complain';

/**
 * Says in one line what nothing else catches. Imported first of all: where memory is limited, ONNX Runtime fails to load, while
 * modules are still being read.
 */
process.on('uncaughtException', (error) => process.exit(complain(error, process)));

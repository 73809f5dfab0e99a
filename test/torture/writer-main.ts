import { write, type WriterTask } from './writer-process';

/** Entry point of a process that writes: without ONNX Runtime, so that it starts quickly. */
void write(JSON.parse(process.argv[2]) as WriterTask);

/**
 * All that is used of BullMQ and ioredis, both MIT. They are bundled apart, `dist/bullmq.js`, and loaded only once a broker is
 * named: import this file with `import()`, and types with `import type`.
 */
export { Queue, QueueEvents, UnrecoverableError, WaitingError, Worker } from 'bullmq';
export { Redis } from 'ioredis';

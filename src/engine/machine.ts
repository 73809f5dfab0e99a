import { arch, cpus, platform, release, totalmem } from 'node:os';
import { env } from './onnxruntime';
import { version } from '../../package.json';
import type { Environment } from '../core/report/report';

/** Describes this machine and the versions in use, now. */
export function describeEnvironment(): Environment {
  return {
    twoHeads: version,
    node: process.versions.node,
    onnxruntime: env.versions.node ?? env.versions.common,
    platform: `${platform()}-${arch()} ${release()}`,
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryBytes: totalmem(),
    date: new Date().toISOString(),
  };
}

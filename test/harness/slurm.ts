import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { hostname } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import { debianProgram } from './debian';

const execute = promisify(execFile);

/** Debian's packages of a Slurm of one node. */
const packages = ['slurmctld', 'slurmd', 'slurm-client', 'munge'];

/** How long a state is waited for, in milliseconds: a busy machine is slow, not broken. */
const patienceMs = 300_000;

/**
 * Why no Slurm can be started here, which is said aloud; undefined where one can, which is installed then.
 *
 * @throws Error as `debianProgram`
 */
export async function slurmObstacle(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) {
    console.warn('SKIPPED: only root can start a Slurm, and its tests need one.');
    return 'only root can start one';
  }
  return (await debianProgram('slurmctld', packages)) === undefined ? 'it cannot be installed' : undefined;
}

/** Waits until `look` finds something, and gives that. @param what is waited for, named where it never comes */
export async function until<T>(what: string, look: () => T | undefined | Promise<T | undefined>): Promise<T> {
  for (const from = Date.now(); Date.now() - from < patienceMs; await wait(50)) {
    const found = await look();
    if (found !== undefined) {
      return found;
    }
  }
  throw new Error(`Waited in vain: ${what}.`);
}

/** A Slurm of its own for one test: one node, this machine, with its files in one folder and its servers on free ports. */
export class Slurm {
  private constructor(private readonly folder: string) {}

  /** @param folder empty, and the test's own @param cpus of the node, whatever the machine has */
  static async start(folder: string, cpus: number): Promise<Slurm> {
    const slurm = new Slurm(folder);
    ['state', 'spool', 'run'].forEach((name) => mkdirSync(join(folder, name)));
    writeFileSync(join(folder, 'munge.key'), randomBytes(128), { mode: 0o600 });
    writeFileSync(join(folder, 'slurm.conf'), configuration(folder, cpus, await freePorts()));
    chmodSync(folder, 0o755);
    try {
      const run = (name: string): string => join(folder, 'run', name);
      slurm.spawn('munged', [
        ...['--foreground', '--force', `--key-file=${join(folder, 'munge.key')}`, `--socket=${run('munge.socket')}`],
        ...[`--pid-file=${run('munged.pid')}`, `--log-file=${run('munged.log')}`, `--seed-file=${run('munged.seed')}`],
      ]);
      await until('munged answers', () => (readdirSync(join(folder, 'run')).includes('munge.socket') ? true : undefined));
      slurm.spawn('slurmctld', ['-D']);
      slurm.spawn('slurmd', ['-D']);
      await until('the node is idle', async () =>
        (await slurm.ask('sinfo', '-h', '-o', '%t').catch(String)) === 'idle' ? true : undefined,
      );
    } catch (error) {
      await slurm.stop();
      throw new Error(`Slurm did not start:\n${slurm.logs()}`, { cause: error });
    }
    return slurm;
  }

  /** Submits a script. @returns the job's number */
  async submit(folder: string, environment: NodeJS.ProcessEnv, ...args: readonly string[]): Promise<string> {
    const env = { ...environment, SLURM_CONF: this.configuration };
    return (await execute('sbatch', ['--parsable', ...args], { cwd: folder, env })).stdout.trim();
  }

  /** Waits until no task of a job is left in the queue. */
  async finished(job: string): Promise<void> {
    await until(`job ${job} to end`, async () => {
      const jobs = await this.ask('squeue', '-h', '-o', '%F').catch(() => job);
      return jobs.split('\n').includes(job) ? undefined : true;
    });
  }

  /** What Slurm says of every task of a job: its fields by name. */
  async tasks(job: string): Promise<Record<string, string>[]> {
    const text = await this.ask('scontrol', '--oneliner', 'show', 'job', job);
    return text.split('\n').map((line) => Object.fromEntries([...line.matchAll(/(\S+?)=(\S*)/g)].map(([, name, value]) => [name, value])));
  }

  /** Ends all of it: servers, and whatever they started. */
  async stop(): Promise<void> {
    await until('everything that Slurm started to end', () => {
      const left = startedWith(this.configuration);
      left.forEach((pid) => {
        try {
          process.kill(pid, 'SIGKILL');
        } catch {
          // It ended by itself.
        }
      });
      return left.length === 0 ? true : undefined;
    });
  }

  /** The ends of the servers' logs. */
  logs(): string {
    const names = readdirSync(this.folder).filter((name) => name.endsWith('.log'));
    return names.map((name) => `${name}:\n${readFileSync(join(this.folder, name), 'utf8').slice(-2000)}`).join('\n');
  }

  private get configuration(): string {
    return join(this.folder, 'slurm.conf');
  }

  private spawn(name: string, args: readonly string[]): void {
    const log = openSync(join(this.folder, `${name}.log`), 'a');
    const env = { ...process.env, SLURM_CONF: this.configuration };
    // The kernel ends it with this process, should that not live to stop it.
    const command = ['--pdeathsig', 'KILL', join('/usr/sbin', name), ...args];
    spawn('setpriv', command, { env, cwd: this.folder, stdio: ['ignore', log, log] });
  }

  private async ask(program: string, ...args: readonly string[]): Promise<string> {
    const env = { ...process.env, SLURM_CONF: this.configuration };
    return (await execute(program, args, { env, maxBuffer: 2 ** 24 })).stdout.trim();
  }
}

/**
 * Everything runs as root, and nothing needs the machine's own configuration, control groups or accounts. A task that is put
 * back waits until its credential has expired: after 5 seconds here, after 2 minutes by default.
 */
function configuration(folder: string, cpus: number, [controllerPort, nodePort]: readonly number[]): string {
  const [name] = hostname().split('.');
  const at = (...names: string[]): string => join(folder, ...names);
  const settings = {
    ClusterName: basename(folder)
      .replaceAll(/[^a-z0-9]/gi, '')
      .toLowerCase(),
    ...{ SlurmctldHost: `${name}(127.0.0.1)`, SlurmctldPort: controllerPort, SlurmdPort: nodePort },
    ...{ SlurmUser: 'root', SlurmdUser: 'root', AuthType: 'auth/munge', AuthInfo: `socket=${at('run', 'munge.socket')},cred_expire=5` },
    ...{ CredType: 'cred/munge', StateSaveLocation: at('state'), SlurmdSpoolDir: at('spool') },
    ...{ SlurmctldPidFile: at('run', 'slurmctld.pid'), SlurmdPidFile: at('run', 'slurmd.pid') },
    ...{ ProctrackType: 'proctrack/linuxproc', TaskPlugin: 'task/none', JobAcctGatherType: 'jobacct_gather/none' },
    ...{ AccountingStorageType: 'accounting_storage/none', JobCompType: 'jobcomp/none', SwitchType: 'switch/none' },
    ...{ MpiDefault: 'none', SelectType: 'select/cons_tres', SelectTypeParameters: 'CR_CPU', SchedulerType: 'sched/builtin' },
    SchedulerParameters: 'sched_interval=1',
    ...{ ReturnToService: 2, SlurmdParameters: 'config_overrides', MailProg: '/bin/true', KillWait: 5, MinJobAge: 3600 },
  };
  return [
    ...Object.entries(settings).map(([key, value]) => `${key}=${value}`),
    `NodeName=${name} NodeAddr=127.0.0.1 CPUs=${cpus} State=UNKNOWN`,
    `PartitionName=all Nodes=${name} Default=YES MaxTime=INFINITE State=UP`,
    '',
  ].join('\n');
}

/** Two ports that nobody listens on. */
async function freePorts(): Promise<number[]> {
  const servers = [createServer(), createServer()];
  await Promise.all(servers.map((server) => new Promise<void>((resolve) => server.listen(0, resolve))));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** Processes that were started with a Slurm's configuration: no others have its path in their environment. */
function startedWith(path: string): number[] {
  const has = (pid: number): boolean => {
    try {
      return readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`SLURM_CONF=${path}\0`);
    } catch {
      // It ended meanwhile.
      return false;
    }
  };
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && pid !== process.pid && has(pid));
}

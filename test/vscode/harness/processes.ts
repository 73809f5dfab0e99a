import { readFileSync, readdirSync } from 'node:fs';

/** One running process, as `/proc` shows it (Linux). */
export interface RunningProcess {
  readonly pid: number;
  readonly parent: number;
  /** Arguments joined by spaces. */
  readonly commandLine: string;
}

/** Every living process of this machine that can be read; zombies are dead and left out. */
export function runningProcesses(): RunningProcess[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => readProcess(Number(name)) ?? []);
}

/** The processes below `root`, children before grandchildren; `root` itself is left out. */
export function descendantsOf(root: number): RunningProcess[] {
  const all = runningProcesses();
  const below: RunningProcess[] = [];
  let parents = new Set([root]);
  while (parents.size > 0) {
    const children = all.filter((process) => parents.has(process.parent));
    below.push(...children);
    parents = new Set(children.map((process) => process.pid));
  }
  return below;
}

/**
 * The processes that inherited the environment entry `entry` (`NAME=value`): a child whose parent died is no longer a
 * descendant, but it still carries the entry.
 */
export function processesWithEnvironment(entry: string): RunningProcess[] {
  return runningProcesses().filter((process) => {
    const environment = readText(`/proc/${process.pid}/environ`);
    return environment?.split('\0').includes(entry) ?? false;
  });
}

/** Ends processes at once (SIGKILL); one that is already gone is fine. */
export function killAll(processes: readonly Pick<RunningProcess, 'pid'>[]): void {
  for (const { pid } of processes) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // Already gone.
    }
  }
}

function readProcess(pid: number): RunningProcess | undefined {
  const stat = readText(`/proc/${pid}/stat`);
  const commandLine = readText(`/proc/${pid}/cmdline`);
  if (stat === undefined || commandLine === undefined) {
    return undefined;
  }
  // "pid (name) state parent ...": the name may hold spaces and brackets, so count from its last bracket.
  const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return state === 'Z' ? undefined : { pid, parent: Number(parent), commandLine: commandLine.split('\0').join(' ').trim() };
}

/** The file's text, or undefined where the process ended meanwhile or belongs to someone else. */
function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** Runs of strace(1): around a process from its beginning, or on one that runs. */
import { readFileSync } from 'node:fs'
import { Service, until } from '../cluster/process.ts'
import { TRACED } from './classes.ts'
import { parseStrace, type Syscall } from './syscalls.ts'

/** All threads, descriptors with what they refer to, nothing of what is read and written. */
const OPTIONS = ['--follow-forks', '--decode-fds=all', '--string-limit=0', '--signal=none', '--quiet=exit']

/** The command line that runs a program under strace and has it write to the file. */
export function straced(file: string): readonly string[] {
  return ['strace', ...OPTIONS, `--trace=${TRACED}`, '--output', file]
}

export function readStrace(file: string): Syscall[] {
  return parseStrace(readFileSync(file, 'utf8'))
}

export interface Attachment {
  readonly pid: number
  /** Path of the process's network namespace: strace asks the kernel for what sockets are, and it tells only there. */
  readonly netns: string
  /** Of what strace writes, and with `.log` of what it says. */
  readonly file: string
}

/** On a process that runs. It goes on as before when strace ends, however that ends. */
export class Strace {
  readonly #service: Service
  readonly #file: string

  private constructor(service: Service, file: string) {
    this.#service = service
    this.#file = file
  }

  /** Resolves when every thread of the process is watched. */
  static async attach({ pid, netns, file }: Attachment): Promise<Strace> {
    const service = new Service({
      name: `strace of ${pid}`,
      argv: ['nsenter', `--net=${netns}`, ...straced(file), '--attach', String(pid)],
      logFile: `${file}.log`,
    })
    const attached = () => {
      service.failIfEnded()
      return service.logTail().includes(`Process ${pid} attached`) ? true : undefined
    }
    await until(attached, { what: `strace to attach to ${pid}` })
    return new Strace(service, file)
  }

  /** Lets go of the process. @returns what it has done meanwhile */
  async end(): Promise<Syscall[]> {
    await this.#service.stop()
    return readStrace(this.#file)
  }
}

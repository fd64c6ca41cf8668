/** What strace(1) has written about a process and its threads, as data. Pure. */

export interface Syscall {
  /** Thread that made it. */
  readonly thread: number
  readonly name: string
  /** As strace prints them, descriptors with what they refer to: `26</run/netns/x>, CLONE_NEWNET`. */
  readonly args: string
  /** What it returned: bytes, a descriptor; -1 when it failed. Undefined of one that never returned. */
  readonly result: number | undefined
  /** Symbol of the error, `EAGAIN`; undefined when it succeeded. */
  readonly error: string | undefined
}

const LINE = /^(\d+)\s+(.*)$/
const UNFINISHED = ' <unfinished ...>'
const RESUMED = /^<\.\.\. \w+ resumed>(.*)$/
const CALL = /^(\w+)\((.*)\)\s+= (?:(0x[\da-f]+|-?\d+)|\?)(.*)$/
/** What its first argument refers to, which may hold a ">": `UNIX-STREAM:[17->18]`. */
const TARGET = /^\d+<(.+?)>(?:,|$)/

/**
 * The system calls in a file that `strace -f -yy -o` has written, in the order in which they ended; what it says about
 * signals and the ends of threads is left out. @throws SyntaxError for what it cannot have written
 */
export function parseStrace(text: string): Syscall[] {
  const begun = new Map<string, string>()
  return text.split('\n').flatMap((line) => {
    if (line === '') return []
    const [, thread, said] = LINE.exec(line) ?? []
    if (thread === undefined || said === undefined) throw new SyntaxError(`not a line of strace: ${line}`)
    const whole = /^(\+\+\+|---)/.test(said) ? undefined : completed(begun, { thread, said })
    return whole === undefined ? [] : [parseCall(Number(thread), whole)]
  })
}

/**
 * A call during which another thread makes one is written in two parts.
 * @param begun the first parts, by thread
 * @returns undefined when the second is still to come, or the first was before strace came
 */
function completed(
  begun: Map<string, string>,
  { thread, said }: { readonly thread: string; readonly said: string },
): string | undefined {
  if (said.endsWith(UNFINISHED)) {
    begun.set(thread, said.slice(0, -UNFINISHED.length))
    return undefined
  }
  const [, rest] = RESUMED.exec(said) ?? []
  if (rest === undefined) return said
  const first = begun.get(thread)
  begun.delete(thread)
  return first === undefined ? undefined : first + rest
}

function parseCall(thread: number, text: string): Syscall {
  const [, name, args, result, rest = ''] = CALL.exec(text) ?? []
  if (name === undefined || args === undefined) throw new SyntaxError(`not a system call: ${text}`)
  const [, error] = result === '-1' ? (/^ (E[A-Z\d]+)/.exec(rest) ?? []) : []
  return { thread, name, args, result: result === undefined ? undefined : Number(result), error }
}

/** What the descriptor in its first argument refers to: a path, `UNIX-STREAM:[…]`; empty when there is none. */
export function targetOf({ args }: Syscall): string {
  return TARGET.exec(args)?.[1] ?? ''
}

/** The descriptor in its first argument. */
export function fdOf({ args }: Syscall): number | undefined {
  const [, fd] = /^(\d+)</.exec(args) ?? []
  return fd === undefined ? undefined : Number(fd)
}

/** The calls from each that begins something to the next such; what is in front of the first is left out. */
export function slices(calls: readonly Syscall[], begins: (call: Syscall) => boolean): Syscall[][] {
  const found: Syscall[][] = []
  for (const call of calls) {
    if (begins(call)) found.push([])
    found.at(-1)?.push(call)
  }
  return found
}

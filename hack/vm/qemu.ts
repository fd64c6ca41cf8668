/** The machine that the guest runs on, as QEMU takes it on its command line. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { CommandError } from '../../test/cluster/process.ts'
import { type Share, tagOf } from './initrd.ts'

export const QEMU = 'qemu-system-x86_64'

export interface Machine {
  readonly kernel: string
  readonly initrd: string
  readonly shares: readonly Share[]
  /** Files of the host: what the kernel says, and the job's status. The job's output goes to standard output. */
  readonly consoleLog: string
  readonly status: string
}

/** Half of it is for what the guest writes. MiB */
const MEMORY = 3072

/**
 * admin-guide/kernel-parameters. A panic ends QEMU (`-no-reboot`). A host that is busy makes the TSC look unstable; the
 * clock that would take its place costs an exit from the emulated code for every look at the time.
 */
const KERNEL_PARAMETERS = 'console=ttyS0 panic=-1 mitigations=off tsc=reliable'

/** Emulated: where KVM is nested, a guest may hang as it starts. No network device: it needs no network. */
export function qemuArguments({ kernel, initrd, shares, consoleLog, status }: Machine): readonly string[] {
  return [
    ...['-nodefaults', '-no-user-config', '-no-reboot', '-display', 'none', '-nic', 'none'],
    // One processor: two that the host does not run at the same time wait for each other. Page tables of five levels
    // would be one more to walk in software.
    ...['-machine', 'q35', '-accel', 'tcg', '-cpu', 'max,la57=off', '-smp', '1', '-m', String(MEMORY)],
    ...['-kernel', kernel, '-initrd', initrd, '-append', KERNEL_PARAMETERS],
    ...['-chardev', `file,id=console,path=${option(consoleLog)}`, '-serial', 'chardev:console'],
    ...['-chardev', 'stdio,id=output,signal=off', '-serial', 'chardev:output'],
    ...['-chardev', `file,id=status,path=${option(status)}`, '-serial', 'chardev:status'],
    ...shares.flatMap(shareArguments),
  ]
}

function shareArguments({ hostPath, writable }: Share, place: number): readonly string[] {
  const tag = tagOf(place)
  // A path may cross file systems whose inode numbers are the same: remapped, they stay different.
  const fsdev = `local,id=${tag},path=${option(hostPath)},security_model=none,multidevs=remap`
  const device = `virtio-9p-pci,fsdev=${tag},mount_tag=${tag}`
  return ['-fsdev', writable ? fsdev : `${fsdev},readonly=on`, '-device', device]
}

/** In a list of options a comma is written twice. */
function option(path: string): string {
  return path.replaceAll(',', ',,')
}

/**
 * Resolves when QEMU has ended, which it does with the guest, with the signal, and with this process.
 * @throws CommandError when it fails; the signal's reason when that ended it.
 */
export async function runQemu(machine: Machine, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  // The terminal's Ctrl-C reaches this process alone (`detached`), and it has the signal for it.
  const argv = ['--pdeathsig', 'SIGKILL', '--', QEMU, ...qemuArguments(machine)]
  const child = spawn('setpriv', argv, { stdio: ['ignore', 'inherit', 'inherit'], detached: true })
  const kill = () => child.kill('SIGKILL')
  signal.addEventListener('abort', kill)
  try {
    const [status] = await once(child, 'exit')
    signal.throwIfAborted()
    if (status !== 0) throw new CommandError(`${QEMU} ended with ${status ?? child.signalCode}`)
  } finally {
    signal.removeEventListener('abort', kill)
  }
}

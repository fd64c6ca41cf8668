/** What depmod(8) writes down of a kernel's modules. */

/**
 * The files of these modules and of all that they need, by `modules.dep`: lines of `file: file...`.
 * @param names as modprobe(8) takes them; one that is built into the kernel has no file
 */
export function filesOf(names: readonly string[], index: string): readonly string[] {
  const lines = index.split('\n').map((line) => line.match(/[^ :]+/g) ?? [])
  const isWanted = (file: string) => names.some((name) => file.endsWith(`/${name}.ko`))
  return [...new Set(lines.filter(([file = '']) => isWanted(file)).flat())]
}

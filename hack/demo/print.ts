/** How the demo talks: numbered steps, tables, and colour where somebody looks. */
import { styleText } from 'node:util'

const dim = (text: string) => styleText('dim', text)
const green = (text: string) => styleText('green', text)
const red = (text: string) => styleText('red', text)

export class Printer {
  #step = 0

  step(title: string): void {
    this.#step += 1
    console.log(`\n${styleText('bold', `${this.#step}. ${title}`)}`)
  }

  /** Something that takes a moment begins. */
  progress(doing: string): void {
    console.log(dim(`   … ${doing}`))
  }

  say(text: string): void {
    console.log(`   ${text}`)
  }

  /** The result of a check. */
  verdict(good: boolean, text: string): void {
    console.log(`   ${good ? green('✔') : red('✘')} ${text}`)
  }

  /** A command and what it printed. */
  transcript(command: string, output: string): void {
    console.log(`\n   ${styleText('cyan', `$ ${command}`)}`)
    for (const line of output.trimEnd().split('\n')) console.log(`   ${line}`)
  }

  /** Columns as wide as their widest cell; numbers in the cells are text already. */
  table(head: readonly string[], rows: readonly (readonly string[])[]): void {
    const width = (column: number) => Math.max(...[head, ...rows].map((row) => row[column]?.length ?? 0))
    const widths = head.map((_, column) => width(column))
    const line = (row: readonly string[]) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd()
    console.log(`   ${dim(line(head))}`)
    for (const row of rows) console.log(`   ${line(row)}`)
  }
}

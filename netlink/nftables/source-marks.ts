/**
 * Marks of packets by their source, so that one rule for each ENI routes them: see source-mark-table.ts for the table.
 *
 * Every change is one transaction of nf_tables, so a packet sees the table before or after it. The kernel waits for an
 * RCU grace period (some 10 ms) when a transaction fails, and when a socket of netfilter is closed soon after something
 * was deleted; so the socket stays open, and what the table holds is remembered, which makes failures rare.
 */
import type { Ip } from '../../inet/address.ts'
import { Errno } from '../errno.ts'
import { NetlinkError, SystemCallError } from '../error.ts'
import type { Request } from '../message.ts'
import type { NetnsRef } from '../netns.ts'
import { NetlinkSocket } from '../socket.ts'
import { type MarkChanges, MarkedSources } from './marked-sources.ts'
import { NFNL_SUBSYS_NFTABLES } from './request.ts'
import { type Judgement, judge, rebuild, repair } from './source-mark-repair.ts'
import {
  ADD_REPLY_RULE,
  addElements,
  deleteEmptyFrame,
  isSourceMark,
  type SourceMark,
  table,
} from './source-mark-table.ts'
import { readTable, type TableView } from './table-view.ts'

export { ROUTING_TABLE, type SourceMark } from './source-mark-table.ts'

export interface SourceMarksOptions {
  /** The namespace the calling thread is in when absent. */
  readonly netns?: NetnsRef
}

/** What a transaction fails with when the table is not what it was thought to be. */
const OUTDATED: readonly number[] = [Errno.ENOENT, Errno.EEXIST, Errno.EBUSY]
const ATTEMPTS = 3
/**
 * Of the socket: no nfnetlink; of a request: no nf_tables, no family `inet`; ENOENT: no chains of type filter or none of
 * the expressions (CONFIG_NF_TABLES, CONFIG_NF_TABLES_INET). What else could be missing, SourceMarks does without.
 */
const LACKING: readonly number[] = [Errno.EPROTONOSUPPORT, Errno.EOPNOTSUPP, Errno.EAFNOSUPPORT, Errno.ENOENT]

/** Whether an error of SourceMarks or NftablesWatch says that this kernel cannot mark by nf_tables at all. */
export function lacksNftables(error: unknown): boolean {
  return (error instanceof NetlinkError || error instanceof SystemCallError) && LACKING.includes(error.errno)
}

/**
 * One object for a namespace: it remembers what it did, and finds out what others did when a transaction fails. All
 * methods throw NetlinkError, after which the table is as it was; the first one also NetnsError and SystemCallError.
 */
export class SourceMarks implements Disposable {
  readonly #netns: NetnsRef | undefined
  #opened: NetlinkSocket | undefined
  /** What the table holds; unknown at first, and after a failure. */
  #known: MarkedSources | undefined
  /** Until the kernel has said otherwise. */
  #conntrack = true

  constructor({ netns }: SourceMarksOptions = {}) {
    this.#netns = netns
  }

  /** Who changes of this object's are by, as NftablesWatch hears of it. */
  get portid(): number {
    return this.#socket.portid
  }

  /** Marks the sources, those with another mark anew. One that is marked so already is fine. */
  add(marks: readonly SourceMark[]): void {
    const wanted = bySource(marks)
    this.#change(() => wanted)
  }

  /**
   * Ends these marks. One that is gone is fine, and so is a source that has another mark by now: it is left alone. With
   * the last one the table goes.
   */
  remove(marks: readonly SourceMark[]): void {
    const unwanted = bySource(marks)
    // What is not known may be there nevertheless.
    if ([...unwanted].some(([source, mark]) => this.#known?.get(source) !== mark)) this.#known = undefined
    this.#change((known) => {
      const own = [...unwanted].filter(([source, mark]) => known.get(source) === mark)
      return new Map(own.map(([source]) => [source, undefined]))
    })
    if (this.#known?.size === 0 && this.#known.tabled) this.#dismantle()
  }

  /**
   * The table as it is in the kernel. Without any is fine as long as nothing was added by this object. That a kernel
   * cannot have the rule for replies is found out by the first change, so until then its lack is a problem.
   */
  read(): Judgement {
    const view = this.#view()
    const { problems, marks } = this.#judge(view)
    const lost = view === undefined && this.#known !== undefined && this.#known.size > 0
    return { problems: lost ? [`missing table ${table.text()}`] : problems, marks }
  }

  /** Brings the table to exactly these marks, whatever it holds. A source that is marked stays marked meanwhile. */
  repair(marks: readonly SourceMark[]): void {
    this.#repair(this.#view(), bySource(marks))
  }

  [Symbol.dispose](): void {
    this.#opened?.close()
  }

  get #socket(): NetlinkSocket {
    this.#opened ??= NetlinkSocket.open({
      protocol: 'netfilter',
      ...(this.#netns === undefined ? {} : { netns: this.#netns }),
    })
    return this.#opened
  }

  #judge(view: TableView | undefined): Judgement {
    return judge(view, { conntrack: this.#conntrack })
  }

  /** Without the rule for replies when the kernel lacks what it takes. */
  #transact(requests: readonly Request[]): void {
    const possible = this.#conntrack ? requests : requests.filter((one) => one !== ADD_REPLY_RULE)
    try {
      this.#socket.transact(NFNL_SUBSYS_NFTABLES, possible)
    } catch (error) {
      if (!this.#conntrack || !lacksConntrack(error)) throw error
      this.#conntrack = false
      this.#transact(requests)
    }
  }

  /** When the table is not what it was thought to be, it is read, and the change made anew. */
  #change(changesOf: (known: MarkedSources) => MarkChanges): void {
    for (let attempt = 1; ; attempt++) {
      const known = this.#knowledge()
      const changes = changesOf(known)
      try {
        this.#transact(known.requests(changes))
        known.apply(changes)
        return
      } catch (error) {
        this.#known = undefined
        if (attempt === ATTEMPTS || !isOutdated(error)) throw error
      }
    }
  }

  /** A table that is not as it should be is first made so. */
  #knowledge(): MarkedSources {
    if (this.#known !== undefined) return this.#known
    const view = this.#view()
    const { problems, marks } = this.#judge(view)
    if (problems.length > 0) return this.#repair(view, marks)
    this.#known = new MarkedSources(marks, { tabled: view !== undefined })
    return this.#known
  }

  #repair(view: TableView | undefined, marks: ReadonlyMap<Ip, number>): MarkedSources {
    this.#known = undefined
    try {
      this.#transact(repair(view, marks))
    } catch (error) {
      // Somebody has changed it since, or holds on to what should go.
      if (!isOutdated(error)) throw error
      this.#transact(rebuild(marks))
    }
    this.#known = new MarkedSources(marks, { tabled: marks.size > 0 })
    return this.#known
  }

  /** The kernel sees to it that nothing is lost that another object has added since. */
  #dismantle(): void {
    this.#known = undefined
    try {
      this.#transact(deleteEmptyFrame())
    } catch (error) {
      if (!isOutdated(error)) throw error
      return
    }
    this.#known = new MarkedSources(new Map(), { tabled: false })
  }

  /** A kernel without nf_tables has no table, either. */
  #view(): TableView | undefined {
    try {
      return readTable(this.#socket, table)
    } catch (error) {
      if (lacksNftables(error)) return undefined
      throw error
    }
  }
}

function isOutdated(error: unknown): boolean {
  return error instanceof NetlinkError && OUTDATED.includes(error.errno)
}

function lacksConntrack(error: unknown): boolean {
  return error instanceof NetlinkError && error.errno === Errno.ENOENT && error.request === ADD_REPLY_RULE.text
}

/** @throws NetlinkError EINVAL for a mark that is not ours to set. */
function bySource(marks: readonly SourceMark[]): Map<Ip, number> {
  for (const one of marks) {
    if (isSourceMark(one.mark)) continue
    const [request] = addElements([one])
    const extack = 'the mark is not one of the bits that are for sources'
    throw new NetlinkError({ errno: Errno.EINVAL, request: request?.text ?? '', extack })
  }
  return new Map(marks.map(({ source, mark }) => [source, mark]))
}

/** What there is after a death: the cloud as the simulator has it, the journal as SQLite reads it, the pods' links. */
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { z } from 'zod'
import { type PodEvent, PodLinks } from './pod-links.ts'

const CLOUD_ENI = z.object({
  ...{ id: z.string(), type: z.string(), status: z.string(), instanceId: z.string().optional() },
  ...{ ips: z.array(z.string()), ipv6s: z.array(z.string()) },
  ...{ ipv4Prefixes: z.array(z.string()), ipv6Prefixes: z.array(z.string()) },
  tags: z.record(z.string(), z.string()),
})
const STATE = z.object({ enis: z.array(CLOUD_ENI) })
const CALL = z.object({ action: z.string(), effect: z.boolean(), parameters: z.record(z.string(), z.string()) })
const AUDIT = z.object({ calls: z.array(CALL) })

const ENI = z.object({ key: z.string(), id: z.string().optional(), phase: z.string() })
const ADDRESS = z.object({
  ...{ ip: z.string(), eni: z.string(), phase: z.string() },
  ...{ owner: z.string().optional(), prefix: z.string().optional() },
})
const PREFIX = z.object({ cidr: z.string(), eni: z.string(), phase: z.string() })
const ASSIGN = z.object({ eni: z.string(), what: z.string() })

export type CloudEni = z.infer<typeof CLOUD_ENI>
export type CloudCall = z.infer<typeof CALL>
export type AddressRow = z.infer<typeof ADDRESS>

export interface JournalRows {
  readonly enis: readonly z.infer<typeof ENI>[]
  readonly addresses: readonly AddressRow[]
  readonly prefixes: readonly z.infer<typeof PREFIX>[]
  readonly assigns: readonly z.infer<typeof ASSIGN>[]
}

export interface World {
  readonly cloud: readonly CloudEni[]
  /** Every call that has been answered or given up, oldest first. */
  readonly calls: readonly CloudCall[]
  readonly journal: JournalRows
  readonly pods: readonly PodEvent[]
}

/** The cloud's part of it. @param api URL of the simulator */
export async function observeCloud(api: string): Promise<Pick<World, 'cloud' | 'calls'>> {
  const { enis } = STATE.parse(await (await fetch(`${api}/state`)).json())
  const { calls } = AUDIT.parse(await (await fetch(`${api}/audit?limit=100000`)).json())
  return { cloud: enis.filter(({ type }) => type !== 'Primary'), calls }
}

/** @param api URL of the simulator */
export async function observe(api: string, directory: string): Promise<World> {
  // The journal first: what a call on its way does to the cloud meanwhile is on record before it.
  const [journal, pods] = [readJournal(directory), new PodLinks(directory).events]
  return { ...(await observeCloud(api)), journal, pods }
}

/** From a copy: to open what a killed process has left behind would change it. */
function readJournal(directory: string): JournalRows {
  const copy = mkdtempSync(join(tmpdir(), 'terway-fault-copy-'))
  try {
    for (const suffix of ['', '-wal']) {
      const file = `journal.db${suffix}`
      if (existsSync(join(directory, file))) cpSync(join(directory, file), join(copy, file))
    }
    const db = new DatabaseSync(join(copy, 'journal.db'))
    try {
      return {
        enis: records(db, 'enis', ENI),
        addresses: records(db, 'addresses', ADDRESS),
        prefixes: records(db, 'prefixes', PREFIX),
        assigns: records(db, 'assigns', ASSIGN),
      }
    } finally {
      db.close()
    }
  } finally {
    rmSync(copy, { recursive: true })
  }
}

function records<T>(db: DatabaseSync, table: string, shape: z.ZodType<T>): T[] {
  const rows = db.prepare(`SELECT record FROM ${table}`).all()
  return rows.map((row) => shape.parse(JSON.parse(String(row.record))))
}

/** A warm `acquire` in process, journal included: ten ENIs of fifty addresses, half of them given to pods. */
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { type Owner, ownerOf, type PodKey } from '../../daemon/pool/model.ts'
import { DEFAULT_BATCH, poolLimits } from '../../daemon/pool/settings.ts'
import { PoolTables } from '../../daemon/pool/tables.ts'
import { Journal } from '../../daemon/store/journal.ts'
import { many, owned, poolOf, warm } from '../pool/state-builder.ts'
import { type BenchLine, benchLine } from './line.ts'
import { offlinePool } from './offline-pool.ts'

const ENIS = 10
const ADDRESSES = 50
const LIMITS = poolLimits({
  ...{ maxEnis: ENIS, addressesPerEni: ADDRESSES, minFree: 0, maxFree: ENIS * ADDRESSES },
  batch: { ...DEFAULT_BATCH, wait: 0 },
})
/** The journal's: tmpfs, as on a node. */
const TMPFS = '/dev/shm'
const WARM_UP = 200

export async function benchPoolAcquire(samples: number): Promise<readonly BenchLine[]> {
  const directory = mkdtempSync(join(TMPFS, 'terway-bench-'))
  const journal = new Journal(directory)
  const state = filled()
  const pool = offlinePool({ state, journal, limits: LIMITS })
  try {
    await pool.bringUp()
    pool.start()
    const microseconds: number[] = []
    const { signal } = new AbortController()
    for (let i = 0; i < WARM_UP + samples; i++) {
      const owner = ownerOf(`bench-${i}`, 'eth0')
      const request = { owner, pod: `bench/pod-${i % 400}` as PodKey, podUid: `uid-${i}` }
      const begun = process.hrtime.bigint()
      await pool.acquire(request, signal)
      const taken = Number(process.hrtime.bigint() - begun) / 1_000
      if (i >= WARM_UP) microseconds.push(taken)
      pool.release(owner)
      // Addresses cool down for no time here, and what follows a turn is done before the next one.
      await new Promise((resolve) => setImmediate(resolve))
    }
    return [benchLine({ name: 'pool.acquire', unit: 'us' }, microseconds), memoryLine()]
  } finally {
    await pool.stop()
    journal.close()
    rmSync(directory, { recursive: true, force: true })
  }
}

function filled(): PoolTables {
  const half = ADDRESSES / 2
  const ipv4 = [...many(half, warm), ...many(half, owned)]
  const tables = poolOf(Object.fromEntries(Array.from({ length: ENIS }, (_, i) => [`eni${i}`, { ipv4 }])))
  // Each pod is another one.
  for (const address of [...tables.addresses.values()]) {
    if (address.phase !== 'owned') continue
    tables.apply([{ kind: 'put-address', address: { ...address, owner: `${address.ip}/eth0` as Owner } }])
  }
  return tables
}

/** Heap that a state takes for each of its addresses, in MB for 1,000: of 100,000, so that the rest does not count. */
function memoryLine(): BenchLine {
  setFlagsFromString('--expose-gc')
  const collect: unknown = runInNewContext('gc')
  const measure = () => {
    if (typeof collect === 'function') collect()
    return process.memoryUsage().heapUsed
  }
  const before = measure()
  const states = Array.from({ length: 200 }, () => PoolTables.of(filled()))
  const after = measure()
  const count = states.reduce((sum, { addresses }) => sum + addresses.size, 0)
  return benchLine({ name: 'pool.memory.1000', unit: 'MB' }, [((after - before) / count / 1_048_576) * 1_000])
}

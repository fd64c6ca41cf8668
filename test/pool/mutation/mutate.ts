/** Loaded before a program (`--import`): puts the bug that TERWAY_POOL_MUTANT names into the pool's source as Node reads it. */
import { readFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { MUTANTS, type Mutant } from './mutants.ts'

const POOL = join(import.meta.dirname, '../../../daemon/pool')

function put({ name, file, from, to }: Mutant): void {
  const target = pathToFileURL(join(POOL, file)).href
  registerHooks({
    load: (url, context, nextLoad) => {
      if (url !== target) return nextLoad(url, context)
      const parts = readFileSync(fileURLToPath(url), 'utf8').split(from)
      if (parts.length !== 2) throw new Error(`${file} has ${parts.length - 1} places for the mutant "${name}"`)
      return { format: 'module-typescript', source: parts.join(to), shortCircuit: true }
    },
  })
}

/** Empty: none. */
const { TERWAY_POOL_MUTANT: wanted = '' } = process.env
const mutant = MUTANTS.find(({ name }) => name === wanted)
if (wanted !== '' && mutant === undefined) throw new Error(`there is no mutant "${wanted}"`)
if (mutant !== undefined) put(mutant)

/** The operator's own CNI configuration (`10-terway.conf` of the ConfigMap), from which the conflist is made. */
import { readFileSync } from 'node:fs'
import { isNativeError } from 'node:util/types'
import { z } from 'zod'
import { CniError } from '../../proto/cni-error.ts'
import { NEWEST_CNI_VERSION } from '../../proto/cni-version.ts'
import { parseNetConf } from '../cni/netconf.ts'
import { ConfigError } from './eni-conf.ts'
import { jsonFault } from './json-fault.ts'

/** Type of our plugin, and the name of its executable. */
export const PLUGIN_TYPE = 'terway'

export interface CniTemplate {
  /** Keys of the list besides its name, versions and plugins. */
  readonly list: Readonly<Record<string, unknown>>
  /** Keys of our plugin. */
  readonly plugin: Readonly<Record<string, unknown>>
  /** What comes after it, in this order. */
  readonly chained: readonly ChainedPlugin[]
}

export type ChainedPlugin = Readonly<Record<string, unknown>> & { readonly type: string }

export const NO_TEMPLATE: CniTemplate = { list: {}, plugin: {}, chained: [] }

/**
 * A `.conflist` beside the file goes before it, as with container runtimes. None at all is fine: nothing is special then.
 * @throws ConfigError naming file and line, or key.
 */
export function readCniTemplate(path: string): CniTemplate {
  const candidates = path.endsWith('.conf') ? [`${path}list`, path] : [path]
  for (const file of candidates) {
    const text = read(file)
    if (text !== undefined) return parseCniTemplate(text, file)
  }
  return NO_TEMPLATE
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    if (isNativeError(cause) && 'code' in cause && cause.code === 'ENOENT') return undefined
    throw new ConfigError(`cannot read ${file}: make it readable, or point --cni-conf-template elsewhere`, { cause })
  }
}

const must = (what: string) => ({ error: `must be ${what}` })
// A file name in the runtime's plugin directories, CNI specification 1.1, "Plugin configuration objects".
const TYPE = z.string(must('a string')).regex(/^[^/\s]+$/, must('the name of an executable'))
const ENTRY = z.looseObject(
  {
    type: TYPE,
    capabilities: z.record(z.string(), z.boolean(must('true or false')), must('an object')).optional(),
  },
  must('an object'),
)
const LIST = z.looseObject({ plugins: z.array(ENTRY, must('a list')).nonempty(must('a list of at least one plugin')) })

/** @throws ConfigError */
export function parseCniTemplate(text: string, file: string): CniTemplate {
  const fault = jsonFault(text)
  if (fault !== undefined) throw new ConfigError(`${file} is not JSON: ${fault}`)
  const value: unknown = JSON.parse(text)
  const isList = typeof value === 'object' && value !== null && 'plugins' in value
  const { plugins, name, cniVersion, cniVersions, ...list } = decode(LIST, isList ? value : { plugins: [value] }, {
    file,
    isList,
  })
  const [first, ...others] = plugins.map(withoutHeader)
  const misplaced = others.some(({ type }) => type === PLUGIN_TYPE)
  if (first === undefined || first.type !== PLUGIN_TYPE || misplaced) {
    const where = isList ? 'the first of "plugins", and no other, must be' : 'it must be'
    throw new ConfigError(`${file}: ${where} of type "${PLUGIN_TYPE}"`)
  }
  const { type: _type, ...plugin } = first
  checkOwnKeys(plugin, file)
  return { list, plugin, chained: others }
}

/** A wrong value would fail every ADD, long after whoever wrote it has looked away. @throws ConfigError */
function checkOwnKeys(plugin: CniTemplate['plugin'], file: string): void {
  try {
    parseNetConf(Buffer.from(JSON.stringify({ ...plugin, name: PLUGIN_TYPE, cniVersion: NEWEST_CNI_VERSION })), 'ADD')
  } catch (cause) {
    if (!(cause instanceof CniError)) throw cause
    throw new ConfigError(`${file}: ${cause.message}`, { cause })
  }
}

/** Name and versions are those of the list that is made. */
function withoutHeader({ name, cniVersion, cniVersions, ...keys }: z.infer<typeof ENTRY>): ChainedPlugin {
  return keys
}

interface Place {
  readonly file: string
  readonly isList: boolean
}

function decode<Output>(schema: z.ZodType<Output>, value: unknown, { file, isList }: Place): Output {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const problems = result.error.issues.map(({ path, message }) => {
    const key = (isList ? path : path.slice(2)).map(String).join('.')
    return `${key === '' ? 'the configuration' : key} ${message}`
  })
  throw new ConfigError(`${file}: ${problems.join('; ')}`)
}

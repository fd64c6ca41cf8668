/** One JSON object per line on standard error; secrets are cut out by name, wherever they turn up. */
import { destination, type Logger, pino } from 'pino'

const SECRET_FIELDS = ['accessKeySecret', 'securityToken', 'secret', 'access_secret']

export function createLogger(level: string, nodeName: string): Logger {
  const paths = SECRET_FIELDS.flatMap((field) => [field, `*.${field}`, `*.*.${field}`])
  const options = { level, base: { node: nodeName }, redact: { paths, censor: '[secret]' } }
  // Synchronous: the last lines before a crash are the ones that matter.
  return pino(options, destination({ fd: 2, sync: true }))
}

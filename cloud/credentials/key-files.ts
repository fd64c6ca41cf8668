/** An access key in two files, as a Secret is mounted. */
import { realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { type CredentialProvider, sealCredential } from './credential.ts'
import { readSecretWord } from './secret-file.ts'

/** Where the original looks. */
export const KEY_DIRECTORY = '/var/alibaba-addon-secret'
export const KEY_ID_FILE = 'access-key-id'
export const KEY_SECRET_FILE = 'access-key-secret'

/** The kubelet writes a changed Secret within about a minute; reading two small files costs nothing. */
const REFRESH_INTERVAL = 60_000

/** The files are read at each fetch, so that a rotated key is used. */
export function keyFilesProvider(directory: string): CredentialProvider {
  const advice = `${KEY_ID_FILE} and ${KEY_SECRET_FILE} must hold a RAM user's key: check the Secret mounted there`
  return {
    name: `key files in ${directory}`,
    refreshInterval: REFRESH_INTERVAL,
    fetch: async () => {
      const version = await currentVersion(directory)
      const read = (name: string) => readSecretWord({ path: join(version, name), advice })
      // One after the other: when both are missing the error is the same each time.
      const accessKeyId = await read(KEY_ID_FILE)
      const accessKeySecret = await read(KEY_SECRET_FILE)
      return sealCredential({ accessKeyId, accessKeySecret })
    },
  }
}

/**
 * The kubelet keeps a mounted Secret in a directory of its own and moves the link `..data` to the next one: an id and a
 * secret read through the same directory belong together, also in the middle of a rotation.
 */
async function currentVersion(directory: string): Promise<string> {
  try {
    return await realpath(join(directory, '..data'))
  } catch {
    return directory // not mounted by a kubelet; a directory that is not there is told of by the reading
  }
}

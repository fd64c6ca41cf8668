/** One file from an entry and all that it imports, as the programs ship. The same sources make the same bytes. */
import { join } from 'node:path'
import { build } from 'esbuild'

export interface BundleOptions {
  readonly entry: string
  /** CommonJS starts faster than a module; a module can wait for what it imports. */
  readonly format: 'cjs' | 'esm'
  /** Packages that are left out: whoever runs the bundle has them. */
  readonly external?: readonly string[]
  /** Names and lines as in the sources, for the traces of a program that runs for months. */
  readonly readable?: boolean
}

/** CommonJS packages inside a module ask for Node's own modules by `require`. Its name is in nobody's way. */
const BRIDGE =
  "import { createRequire as createBundleRequire } from 'node:module'; const require = createBundleRequire(import.meta.url);"

/** Rejects with esbuild's BuildFailure. */
export async function bundle({ entry, format, external = [], readable = false }: BundleOptions): Promise<Uint8Array> {
  const { outputFiles } = await build({
    // Whose names in comments are relative to it, whatever the directory this is started in.
    absWorkingDir: join(import.meta.dirname, '..'),
    entryPoints: [entry],
    bundle: true,
    platform: 'node',
    target: `node${process.versions.node}`,
    format,
    minify: !readable,
    legalComments: 'eof',
    banner: { js: format === 'esm' ? BRIDGE : '' },
    external: [...external],
    write: false,
    logLevel: 'warning',
  })
  const [file] = outputFiles
  if (file === undefined) throw new Error(`esbuild made no bundle of ${entry}`)
  return file.contents
}

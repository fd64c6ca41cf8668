/** One file from an entry and all that it imports, as the programs ship. */
import { build } from 'esbuild'

export interface BundleOptions {
  readonly entry: string
  /** CommonJS starts faster than a module; a module can wait for what it imports. */
  readonly format: 'cjs' | 'esm'
  /** Lines before everything else. */
  readonly banner?: string
  /** Packages that are left out: whoever runs the bundle has them. */
  readonly external?: readonly string[]
}

/** Rejects with esbuild's BuildFailure. */
export async function bundle({ entry, format, banner = '', external = [] }: BundleOptions): Promise<Uint8Array> {
  // CommonJS packages inside a module ask for Node's own modules by "require".
  const bridge = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);"
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    platform: 'node',
    target: `node${process.versions.node}`,
    format,
    minify: true,
    legalComments: 'eof',
    banner: { js: format === 'esm' ? `${banner}${bridge}` : banner },
    external: [...external],
    write: false,
    logLevel: 'warning',
  })
  const [file] = outputFiles
  if (file === undefined) throw new Error(`esbuild made no bundle of ${entry}`)
  return file.contents
}

/**
 * Packs one file of CommonJS into a copy of Node with `@yao-pkg/pkg`; a process of its own, because pkg changes its
 * working directory. `hack/node hack/build/pkg-sea.ts MAIN ARCH OUTPUT`, MAIN a file name in $TMPDIR; pkg takes Node from
 * $HOME (`packExecutable` puts it there).
 */
import sea from '@yao-pkg/pkg/lib-es5/sea.js'

const [main = '', arch = '', output = ''] = process.argv.slice(2)
const seaConfig = {
  // Relative to pkg's own directory in $TMPDIR. An absolute path would become a part of the executable.
  main: `../${main}`,
  disableExperimentalSEAWarning: true,
  useSnapshot: false,
  // It is written under a random hash seed, so no two builds would be the same.
  useCodeCache: false,
  // The runtime's environment must not reach Node: a `--require` in NODE_OPTIONS would fail every pod of the machine.
  execArgvExtension: 'none',
}
const target = { nodeRange: `node${process.versions.node}`, platform: 'linux' as const, arch, output }
await sea.default(main, { targets: [target], seaConfig })

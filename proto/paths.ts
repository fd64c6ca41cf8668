/** Where plugin, daemon and tools of one node meet unless they are told otherwise. */

/** The daemon's socket; the path of the original Terway, so that its tools find it. */
export const DEFAULT_SOCKET = '/var/run/eni/eni.socket'

/** Where the plugin leaves a DEL for a daemon that does not run; on tmpfs. */
export const DEFAULT_SPOOL_DIRECTORY = '/var/run/terway/spool'

/** Flags and environment of terwayd. */
import { Command, InvalidArgumentError, Option } from 'commander'
import { METADATA_ENDPOINT } from '../../cloud/metadata.ts'
import { DEFAULT_SOCKET } from '../../proto/paths.ts'

export interface ListenAddress {
  /** Empty for every address of the node. */
  readonly host: string
  readonly port: number
}

export interface Flags {
  readonly config: string
  readonly nodeName: string
  readonly socket: string
  readonly stateDir: string
  readonly cniConfDir: string
  readonly cniConfTemplate: string
  readonly cniBinDir: string
  readonly metadataEndpoint: string
  readonly metricsListen: ListenAddress | 'off'
  readonly logLevel: string
}

export function parseFlags(argv: readonly string[], version: string): Flags {
  const command = new Command('terwayd')
    .description("Owns this node's ENIs and addresses and gives pods VPC addresses.")
    .version(version)
    .option('--config <file>', 'eni_conf: JSON, comments allowed', '/etc/eni/eni_conf')
    .addOption(new Option('--node-name <name>', 'name of the node').env('NODE_NAME').makeOptionMandatory())
    .option('--socket <path>', 'socket for the CNI plugin and terway-cli', DEFAULT_SOCKET)
    .option('--state-dir <dir>', 'journal and spool; must be on tmpfs', '/var/run/terway')
    .option('--cni-conf-dir <dir>', 'where the container runtime reads its CNI configuration', '/etc/cni/net.d')
    .option('--cni-conf-template <file>', 'keys for that configuration; may be absent', '/etc/eni/10-terway.conf')
    .option('--cni-bin-dir <dir>', 'where the container runtime finds its CNI plugins', '/opt/cni/bin')
    .option('--metadata-endpoint <url>', 'instance metadata service', METADATA_ENDPOINT)
    .addOption(
      new Option('--metrics-listen <host:port|off>', 'Prometheus metrics, read only')
        .argParser(parseListen)
        .default({ host: '127.0.0.1', port: 9191 }, '127.0.0.1:9191'),
    )
    .addOption(
      new Option('--log-level <level>', 'least level to log')
        .choices(['debug', 'info', 'warn', 'error'])
        .default('info'),
    )
    .addHelpText(
      'after',
      `
Environment:
  NODE_NAME                  as --node-name
  ECS_ENDPOINT, VPC_ENDPOINT host of the ECS and VPC API (default: the region's endpoint inside the VPC)
  STS_ENDPOINT               host of STS, which gives the keys for an OIDC token
  ALICLOUD_ENDPOINT_TYPE     public: the region's endpoints outside the VPC
  ALICLOUD_CLIENT_SCHEME     HTTP or HTTPS (default)

Signals: SIGTERM and SIGINT end the daemon; pods keep their network, and the next start takes them over.`,
    )
  command.parse(argv, { from: 'user' })
  return command.opts<Flags>()
}

/** `host:port` (an IPv6 host in brackets) or `off`. @throws InvalidArgumentError, which ends the program with it. */
export function parseListen(text: string): ListenAddress | 'off' {
  if (text === 'off') return 'off'
  const match = /^(?:\[([^\]]*)\]|([^:]*)):(\d{1,5})$/.exec(text)
  const port = Number(match?.[3])
  if (match === null || port > 65_535) throw new InvalidArgumentError('must be host:port or off.')
  return { host: match[1] ?? match[2] ?? '', port }
}

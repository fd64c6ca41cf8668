/** A transport that answers from a script, and notes each call as the SDK would put it on the wire. */
import openapi from '@alicloud/openapi-core'
import type { CallOptions, CloudCall, Transport } from '../../cloud/transport.ts'

/** What the script has for a call: an answer, or an error to fail with. */
export type Scripted = object | Error

export class ScriptedTransport {
  /** Action and parameters, flattened by the SDK; RegionId is not among them, the transport adds it to every call. */
  readonly sent: (readonly [action: string, parameters: Readonly<Record<string, string>>])[] = []
  readonly options: (CallOptions | undefined)[] = []
  readonly #script: (call: CloudCall, number: number) => Scripted | undefined

  /** One answer for each call in turn, or a function of the call and its number from 0. */
  constructor(script: readonly Scripted[] | ((call: CloudCall, number: number) => Scripted | undefined)) {
    this.#script = typeof script === 'function' ? script : (_, number) => script[number]
  }

  readonly transport: Transport = async (call, options) => {
    const number = this.sent.length
    this.sent.push([call.action, openapi.OpenApiUtil.query({ ...call.query })])
    this.options.push(options)
    const scripted = this.#script(call, number)
    if (scripted === undefined) throw new Error(`the script has no answer to ${call.action}`)
    if (scripted instanceof Error) throw scripted
    // As from the wire: nothing is shared with the script.
    return JSON.parse(JSON.stringify(scripted))
  }
}

/** The fabric cannot be made, read or removed; the message says what to do. */
export class FabricError extends Error {
  override readonly name = 'FabricError'
}

/** What an ADD asks the pool for. */
import type { Wish } from './choose-address.ts'
import type { Owner } from './model.ts'

export interface AddressRequest extends Wish {
  readonly owner: Owner
}

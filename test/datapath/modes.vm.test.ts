/** Every datapath that needs ipvlan or 802.1Q, for each family, in real namespaces; and two of the others. */
import { describe, test } from '@jest/globals'
import { BOTH, FAMILIES, play } from './scenario.ts'
import { STOCK, STOCK_TOO } from './scenarios.ts'

describe.each(STOCK)('$name', (scenario) => {
  test.each(FAMILIES)('%s: from nothing to nothing', (_, families) => play(scenario, families))
})

test.each(STOCK_TOO)('$name, both families: from nothing to nothing', (scenario) => play(scenario, BOTH))

/** Every datapath that any kernel carries out, for each family, in real namespaces. */
import { describe, test } from '@jest/globals'
import { FAMILIES, play } from './scenario.ts'
import { PLAIN } from './scenarios.ts'

describe.each(PLAIN)('$name', (scenario) => {
  test.each(FAMILIES)('%s: from nothing to nothing', (_, families) => play(scenario, families))
})

/**
 * Has the process with this id collect its garbage, through the inspector that Node opens at SIGUSR1. To be run in the
 * network namespace of the process. `hack/node test/guard/collect-garbage.ts PID`
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'

/** Node's default. */
const INSPECTOR = 'http://127.0.0.1:9229/json'
const PATIENCE = 10_000

const targets = z.tuple([z.object({ webSocketDebuggerUrl: z.string() })])

async function inspectorOf(pid: number): Promise<string> {
  process.kill(pid, 'SIGUSR1')
  const deadline = performance.now() + PATIENCE
  for (;;) {
    try {
      const [target] = targets.parse(await (await fetch(INSPECTOR)).json())
      return target.webSocketDebuggerUrl
    } catch (error) {
      if (performance.now() > deadline) throw error
      await sleep(20) // it opens on a thread of its own
    }
  }
}

const socket = new WebSocket(await inspectorOf(Number(process.argv[2])))
await new Promise((resolve, reject) => {
  socket.onerror = reject
  socket.onopen = () => socket.send(JSON.stringify({ id: 1, method: 'HeapProfiler.collectGarbage' }))
  socket.onmessage = resolve // the answer, once it is done
})
process.exit()

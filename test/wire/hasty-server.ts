/**
 * A daemon in a process of its own that is late and then in a hurry: `node hasty-server.ts SOCKET ANSWER`. It listens,
 * but accepts nobody until the file SOCKET.go is there; then it sends everyone the content of the file ANSWER, closes
 * without having read anything, and tells of the first by the file SOCKET.gone.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'

const [socket = '', answer = ''] = process.argv.slice(2)
const bytes = readFileSync(answer)
const parent = process.ppid

const server = createServer({ pauseOnConnect: true }, (connection) => {
  connection.on('error', () => connection.destroy()) // a client that is gone is not what is tested
  connection.on('close', () => writeFileSync(`${socket}.gone`, ''))
  connection.write(bytes, () => connection.destroy())
})
// The kernel queues one connection more than this.
server.listen({ path: socket, backlog: 1 }, () => {
  console.log('listening')
  const pause = new Int32Array(new SharedArrayBuffer(4))
  while (!existsSync(`${socket}.go`) && process.ppid === parent) Atomics.wait(pause, 0, 0, 1)
})
process.stdin.on('end', () => process.exit()).resume()

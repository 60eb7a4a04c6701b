// Runs a collector of OpenTelemetry on free ports, `node collector.mjs AGENT LOG`, writes what it says to the file LOG, prints
// one line of JSON with its address, and ends it with the own standard input: no collector outlives the tests.

import { spawn } from 'node:child_process'
import { openSync } from 'node:fs'
import { connect, createServer } from 'node:net'

const [agent, log] = process.argv.slice(2)

const freePort = () =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })

const listens = (port) =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true))
    socket.on('error', () => resolve(false)).on('close', () => socket.destroy())
    socket.unref()
  })

let child
process.stdin.resume().on('end', () => {
  child?.kill('SIGKILL')
  process.exit(0)
})

// Another process may take a port in between: then the agent ends, and others are tried.
for (let attempt = 0; ; attempt++) {
  const [http, grpc] = [await freePort(), await freePort()]
  const out = openSync(log, 'w')
  const options = ['start', '--exporter', 'blackhole', '--disable-batching']
  options.push('--otlp-http-endpoint', `127.0.0.1:${http}`, '--otlp-grpc-endpoint', `127.0.0.1:${grpc}`)
  options.push('--debug-log', 'traces', '--debug-log', 'metrics', '--debug-log-verbosity', 'detailed')
  child = spawn(agent, options, { stdio: ['ignore', out, out] })
  let ended = false
  child.on('exit', () => (ended = true)).on('error', () => (ended = true))
  while (!ended && !(await listens(http))) await new Promise((resolve) => setTimeout(resolve, 50))
  if (!ended) {
    child.on('exit', (code) => process.exit(code ?? 1))
    process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${http}` })}\n`)
    break
  }
  if (attempt === 5) {
    process.stderr.write(`the collector does not start: see ${log}\n`)
    process.exit(1)
  }
}

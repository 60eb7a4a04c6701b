// Runs a server, `node until-closed.mjs PROGRAM ARGUMENT...`, prints one line of JSON with the address that it tells, and ends
// it with the own standard input: no server outlives the tests, however they end.

import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

const [program, ...options] = process.argv.slice(2)
const child = spawn(program, options, { stdio: ['ignore', 'pipe', 'pipe'] })
const log = []
let told = false
child.on('exit', (code) => {
  if (!told) process.stderr.write(log.join(''))
  process.exit(code ?? 1)
})
process.stdin.resume().on('end', () => child.kill('SIGKILL'))
for (const output of [child.stdout, child.stderr]) {
  createInterface({ input: output }).on('line', (line) => {
    const url = /(?:on|at) (http:\/\/127\.0\.0\.1:\d+)/.exec(line)?.[1]
    if (url && !told) {
      told = true
      process.stdout.write(`${JSON.stringify({ url })}\n`)
    } else if (!told) {
      log.push(`${line}\n`)
    }
  })
}

// GitHub's own description of its REST API, cut to what we ask: prints the document that `description.json` is.
//
//   node tests/peers/github/cut.mjs > tests/peers/github/description.json
//
// Needs npm and tar. The package is fetched and held against its digest; it is no dependency because it has 385 MB.

import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const PACKAGE = '@octokit/openapi@23.0.2'
const SHA512 = 'pV8M7L9GY23AybNvTmo2nyjmpmnt6+2sRE/tqr0ZLQcPS4lnw7u5eZGNmwRNkBC3D7gZXbFx5AHzLUVRBXGDhg=='
const REPOSITORY = '/repos/{owner}/{repo}'
const ASKED = {
  '/deployments': ['get', 'post'],
  '/deployments/{deployment_id}': ['get'],
  '/deployments/{deployment_id}/statuses': ['get', 'post'],
  '/commits/{ref}/check-runs': ['get'],
  '/commits/{ref}/status': ['get'],
  '/actions/runs/{run_id}': ['get'],
  '/actions/runs/{run_id}/attempts/{attempt_number}/jobs': ['get'],
}

// For readers, not for judges.
const PROSE = new Set(['description', 'summary', 'example', 'examples', 'externalDocs', 'tags', 'x-github', 'title'])

const folder = mkdtempSync(join(tmpdir(), 'openapi-'))
process.on('exit', () => rmSync(folder, { recursive: true }))
const name = execFileSync('npm', ['pack', '--silent', PACKAGE], { cwd: folder, encoding: 'utf8' }).trim()
const found = createHash('sha512').update(readFileSync(join(folder, name))).digest('base64')
if (found !== SHA512) throw new Error(`${PACKAGE} is another one: ${found}`)
const FILE = 'package/generated/api.github.com.json'
execFileSync('tar', ['-xzf', name, FILE], { cwd: folder })
const whole = JSON.parse(readFileSync(join(folder, FILE)))

// The properties of a schema may have such names too: those stay.
function cut(value, isProperties = false) {
  if (Array.isArray(value)) return value.map((item) => cut(item))
  if (value === null || typeof value !== 'object') return value
  // An address that is empty where there is none: as GitHub answers, and against its own description.
  const isOptional = !isProperties && value.format === 'uri' && value.default === ''
  const kept = Object.entries(value).filter(([key]) => isProperties || !(PROSE.has(key) || (isOptional && key === 'format')))
  const small = Object.fromEntries(kept.map(([key, item]) => [key, cut(item, !isProperties && key === 'properties')]))
  // All of its numbers count something, or are somebody's.
  return !isProperties && value.type === 'integer' ? { minimum: 0, ...small } : small
}

const document = {
  openapi: whole.openapi,
  info: { title: whole.info.title, version: whole.info.version, description: `${PACKAGE}, cut by cut.mjs`, license: whole.info.license },
  servers: [{ url: '/' }],
  paths: {},
  components: {},
}
// An answer needs its description, whatever it says; and it may be asked for under GitHub's own name of the type, as its
// documentation wants it.
function answers(responses) {
  const whole = ({ content, ...answer }) => {
    const json = content?.['application/json']
    return { description: '', ...answer, ...(json && { content: { ...content, 'application/vnd.github+json': json } }) }
  }
  return Object.fromEntries(Object.entries(responses).map(([status, answer]) => [status, answer.$ref ? answer : whole(answer)]))
}
for (const [path, methods] of Object.entries(ASKED)) {
  document.paths[REPOSITORY + path] = {}
  for (const method of methods) {
    const operation = cut(whole.paths[REPOSITORY + path][method])
    document.paths[REPOSITORY + path][method] = { ...operation, responses: answers(operation.responses) }
  }
}

// Everything that is referred to, and what that refers to.
let rest = JSON.stringify(document)
while (rest) {
  let added = ''
  for (const [, kind, key] of rest.matchAll(/"#\/components\/([\w-]+)\/([\w-]+)"/g)) {
    document.components[kind] ??= {}
    if (document.components[kind][key]) continue
    const item = cut(whole.components[kind][key])
    document.components[kind][key] = kind === 'responses' ? { description: '', ...item } : item
    added += JSON.stringify(document.components[kind][key])
  }
  rest = added
}
process.stdout.write(`${JSON.stringify(document)}\n`)

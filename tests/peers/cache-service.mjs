// GitHub's cache service, version 2, as far as clients can see it: Twirp calls in JSON, entries by scope, version and key,
// signed addresses of a real blob store (Azurite), and the caches of the REST API. Any of it can be made to fail.
//
//   node cache-service.mjs --blobs http://127.0.0.1:PORT [--plain | --direct]
//
// Prints one line of JSON with its address, and ends with its standard input. `PUT /_faults` sets the faults, a list that
// is gone through from the front: {"at": "PUT" | "GET" | "CreateCacheEntry" | ..., "kind": ..., "times": 1, ...}.
// `GET /_seen` tells what was asked. Blobs go through this process to Azurite, so that transfers can fail too; with
// `--direct` they do not. With `--plain` there is no service, and all goes on to the address, whatever serves there.

import http from 'node:http'
import { parseArgs } from 'node:util'
import { BlobSASPermissions, BlobServiceClient, StorageSharedKeyCredential, generateBlobSASQueryParameters } from '@azure/storage-blob'
import { ACCOUNT, KEY } from './account.mjs'

const { values } = parseArgs({ options: { blobs: { type: 'string' }, plain: { type: 'boolean' }, direct: { type: 'boolean' } } })
const TWIRP = '/twirp/github.actions.results.api.v1.CacheService/'
const credential = new StorageSharedKeyCredential(ACCOUNT, KEY)
const container = `cache-${process.pid}-${Date.now()}`

let faults = []
const seen = []
const entries = []
let next = 1

// The scopes of a token as the runner's has them; one that is no JWT may do everything on the default branch.
function scopes(token) {
  try {
    const claims = JSON.parse(Buffer.from(token.split('.')[1], 'base64url').toString())
    return JSON.parse(claims.ac).map(({ Scope, Permission }) => ({ name: Scope, read: Permission & 1, write: Permission & 2 }))
  } catch {
    return [{ name: 'refs/heads/main', read: 1, write: 2 }]
  }
}

function signed(name, permissions) {
  const expiresOn = new Date(Date.now() + 3600_000)
  const sas = generateBlobSASQueryParameters(
    { containerName: container, blobName: name, permissions: BlobSASPermissions.parse(permissions), expiresOn },
    credential,
  )
  return `${values.direct ? values.blobs : address()}/${ACCOUNT}/${container}/${name}?${sas}`
}

class Refusal extends Error {
  constructor(status, code, msg) {
    super(msg)
    Object.assign(this, { status, code })
  }
}

const calls = {
  CreateCacheEntry({ key, version }, allowed) {
    const scope = allowed.find((scope) => scope.write)
    if (!scope) return { ok: false, message: 'cache write denied: the token has no scope to write' }
    check([key])
    if (entries.some((entry) => entry.scope === scope.name && entry.key === key && entry.version === version)) {
      throw new Refusal(409, 'already_exists', `Cache already exists. Scope: ${scope.name}, Key: ${key}, Version: ${version}`)
    }
    const id = next++
    entries.push({ id, scope: scope.name, key, version, blob: `entry-${id}`, size: null, created: new Date() })
    return { ok: true, signed_upload_url: signed(`entry-${id}`, 'racw'), message: '' }
  },
  async FinalizeCacheEntryUpload({ key, version, size_bytes: size }, allowed) {
    if (typeof size !== 'string') throw new Refusal(400, 'malformed', 'an int64 is a string in JSON')
    const names = allowed.filter((scope) => scope.write).map((scope) => scope.name)
    const open = (entry) => names.includes(entry.scope) && entry.key === key && entry.version === version && entry.size === null
    const entry = entries.find(open)
    if (!entry) throw new Refusal(404, 'not_found', 'no reservation')
    const blob = blobs().getBlobClient(entry.blob)
    const found = await blob.getProperties().catch(() => ({ contentLength: -1 }))
    if (found.contentLength !== Number(size)) return { ok: false, entry_id: '0', message: 'the size is another one' }
    Object.assign(entry, { size: Number(size), created: new Date() })
    return { ok: true, entry_id: String(entry.id), message: '' }
  },
  GetCacheEntryDownloadURL({ key, restore_keys: restore = [], version }, allowed) {
    const readable = allowed.filter((scope) => scope.read)
    if (readable.length === 0) throw new Refusal(403, 'permission_denied', 'cache read denied: the token has no scope to read')
    check([key, ...restore])
    for (const scope of readable) {
      const own = entries.filter((entry) => entry.scope === scope.name && entry.version === version && entry.size !== null)
      const newest = own.sort((left, right) => right.id - left.id)
      const exact = newest.find((entry) => entry.key === key)
      const entry = exact ?? [key, ...restore].map((prefix) => newest.find((entry) => entry.key.startsWith(prefix))).find(Boolean)
      if (entry) return { ok: true, signed_download_url: signed(entry.blob, 'r'), matched_key: entry.key }
    }
    return { ok: false, signed_download_url: '', matched_key: '' }
  },
}

function check(keys) {
  const bad = keys.some((key) => typeof key !== 'string' || key.length === 0 || key.length > 512 || key.includes(','))
  if (bad || keys.length > 10) throw new Refusal(400, 'invalid_argument', 'keys have 1 to 512 characters and no comma')
}

const blobs = () => new BlobServiceClient(`${values.blobs}/${ACCOUNT}`, credential).getContainerClient(container)

// The next fault for this place, if it is its turn.
function fault(at) {
  const index = faults.findIndex((fault) => fault.at === at && (fault.after ?? 0) <= 0)
  for (const later of faults.filter((fault) => fault.at === at && fault.after > 0)) later.after--
  if (index < 0) return undefined
  const found = faults[index]
  found.times = (found.times ?? 1) - 1
  if (found.times <= 0) faults.splice(index, 1)
  return found
}

async function body(request) {
  const pieces = []
  for await (const piece of request) pieces.push(piece)
  return Buffer.concat(pieces)
}

function answer(response, status, value, headers = {}) {
  const content = Buffer.from(typeof value === 'string' ? value : JSON.stringify(value))
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': content.length, ...headers })
  response.end(content)
}

function refuse(response, fault) {
  const headers = fault.retryAfter === undefined ? {} : { 'retry-after': String(fault.retryAfter) }
  answer(response, fault.status, fault.body ?? { code: fault.code ?? 'unavailable', msg: fault.msg ?? 'as the test wants it' }, { ...headers, ...fault.headers })
}

async function twirp(request, response, method) {
  const content = await body(request)
  const broken = fault(method)
  if (broken?.kind === 'reset') return request.socket.destroy()
  if (broken?.kind === 'stall') return
  if (broken?.kind === 'status') return refuse(response, broken)
  if (broken?.kind === 'answer') return answer(response, 200, broken.body)
  const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1]
  if (!token) return answer(response, 401, { code: 'unauthenticated', msg: 'no token' })
  let found
  try {
    found = await calls[method](JSON.parse(content), scopes(token))
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return answer(response, error.status, { code: error.code, msg: error.message })
  }
  // It is done, and nobody learns of it.
  if (broken?.kind === 'lost') return request.socket.destroy()
  answer(response, 200, found)
}

// To Azurite and back, or less.
async function blob(request, response) {
  const content = await body(request)
  const broken = fault(request.method)
  if (broken?.kind === 'reset') return request.socket.destroy()
  if (broken?.kind === 'stall') return
  if (broken?.kind === 'status') return refuse(response, broken)
  const headers = { ...request.headers }
  if (broken?.kind === 'whole') delete headers.range
  const forwarded = await new Promise((resolve, reject) => {
    const onward = http.request(values.blobs + request.url, { method: request.method, headers }, resolve)
    onward.on('error', reject)
    onward.end(content)
  })
  const bytes = await body(forwarded)
  const back = { ...forwarded.headers, ...broken?.headers }
  delete back['transfer-encoding']
  if (request.method !== 'HEAD') back['content-length'] = bytes.length
  switch (broken?.kind) {
    case 'lost':
      return request.socket.destroy()
    // The head and half of the bytes; then nothing, or the end of the connection.
    case 'stall-within':
    case 'cut':
      response.writeHead(forwarded.statusCode, back)
      response.write(bytes.subarray(0, bytes.length / 2), () => {
        if (broken.kind === 'cut') request.socket.destroy()
      })
      return
    // As many bytes, and one of them another.
    case 'flip':
      if (bytes.length > 0) bytes[Math.floor(bytes.length * (broken.where ?? 0.5))] ^= 1
      response.writeHead(forwarded.statusCode, back)
      return response.end(bytes)
    // Fewer bytes, and a head that agrees with them.
    case 'short':
      response.writeHead(forwarded.statusCode, { ...back, 'content-length': Math.floor(bytes.length / 2) })
      return response.end(bytes.subarray(0, bytes.length / 2))
    // More bytes were promised than come.
    case 'long':
      response.writeHead(forwarded.statusCode, { ...back, 'content-length': bytes.length + 7 })
      response.write(bytes, () => request.socket.destroy())
      return
    default:
      response.writeHead(forwarded.statusCode, back)
      response.end(bytes)
  }
}

function rest(request, response, url) {
  if (!request.headers.authorization) return answer(response, 401, { message: 'Requires authentication' })
  const broken = fault('rest')
  if (broken) return refuse(response, broken)
  const shown = (entry) => ({ id: entry.id, ref: entry.scope, key: entry.key, version: entry.version, size_in_bytes: entry.size, created_at: entry.created.toISOString(), last_accessed_at: entry.created.toISOString() })
  if (request.method === 'DELETE') {
    const index = entries.findIndex((entry) => String(entry.id) === url.pathname.split('/').at(-1))
    if (index < 0) return answer(response, 404, { message: 'Not Found' })
    entries.splice(index, 1)
    response.writeHead(204)
    return response.end()
  }
  const number = (name, fallback) => Number(url.searchParams.get(name) ?? fallback)
  const found = entries
    .filter((entry) => entry.size !== null && entry.key.startsWith(url.searchParams.get('key') ?? ''))
    .filter((entry) => entry.scope === (url.searchParams.get('ref') ?? entry.scope))
    .sort((left, right) => right.id - left.id)
  const size = Math.min(number('per_page', 30), 100)
  const start = (number('page', 1) - 1) * size
  answer(response, 200, { total_count: found.length, actions_caches: found.slice(start, start + size).map(shown) })
}

async function serve(request, response) {
  const url = new URL(request.url, address())
  if (url.pathname === '/_faults') {
    faults = JSON.parse(await body(request))
    return answer(response, 200, {})
  }
  if (url.pathname === '/_seen') return answer(response, 200, { seen: seen.splice(0), faults })
  if (url.pathname === '/_fill') {
    // Complete entries without an archive, for lists.
    for (const { key, version, scope } of JSON.parse(await body(request))) {
      entries.push({ id: next++, scope: scope ?? 'refs/heads/main', key, version, blob: 'none', size: 1, created: new Date() })
    }
    return answer(response, 200, {})
  }
  seen.push({ method: request.method, path: url.pathname, query: url.search, authorization: request.headers.authorization ?? null, range: request.headers.range ?? null })
  if (values.plain) return blob(request, response)
  const method = url.pathname.startsWith(TWIRP) ? url.pathname.slice(TWIRP.length) : undefined
  if (method in calls && request.method === 'POST') return twirp(request, response, method)
  if (url.pathname.startsWith(`/${ACCOUNT}/`)) return blob(request, response)
  if (/^\/repos\/[^/]+\/[^/]+\/actions\/caches/.test(url.pathname)) return rest(request, response, url)
  answer(response, 404, { code: 'bad_route', msg: 'no such route' })
}

const server = http.createServer((request, response) => {
  serve(request, response).catch((error) => {
    process.stderr.write(`${error.stack}\n`)
    request.socket.destroy()
  })
})
const address = () => `http://127.0.0.1:${server.address().port}`
if (!values.plain) await blobs().create()
server.listen(0, '127.0.0.1', () => process.stdout.write(`${JSON.stringify({ url: address(), container })}\n`))
process.stdin.resume().on('end', () => process.exit(0))

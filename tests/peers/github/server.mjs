// GitHub as far as deployments see it: deployments and their statuses, check runs and statuses of commits, workflow runs and
// their jobs, identity tokens, a rate limit. Any of it can be made to fail, before or after it was done.
//
//   node github/server.mjs
//
// Prints one line of JSON with its address, and ends with its standard input.
//
// `PUT /_faults` sets the faults, a list that is gone through from the front:
// {"at": "POST deployments" | "GET statuses" | "*" | ..., "kind": ..., "times": 1, "after": 0, ...}.
// `PUT /_world` sets what else there is: {"access": "write" | "read" | "none", "limit": {"remaining": 5, "reset": 1},
// "checks": {SHA: [...]}, "statuses": {SHA: [...]}, "runs": {ID: {...}}, "jobs": {ID: [...]}, "behind": true, "claims": {...}}.
// `GET /_world?environment=NAME` does what is late, and gives the environment's deployments with all that was told of them and when; `PUT /_fill` adds
// deployments, oldest first, as the body of a request for them, with "states" that were told of them; `GET /_seen` what was asked since the last look.

import http from 'node:http'
import { repository, user } from './shapes.mjs'

const STATES = ['error', 'failure', 'inactive', 'in_progress', 'queued', 'pending', 'success']
const SHA = /^[0-9a-f]{40}$/

let faults = []
let world = {}
let next = 1
let late = []
const deployments = []
const seen = []

const address = () => `http://127.0.0.1:${server.address().port}`
const now = () => new Date().toISOString().replace(/\.\d+/, '')

class Refusal extends Error {
  constructor(status, message, errors) {
    super(message)
    Object.assign(this, { status, body: { message, errors, documentation_url: 'https://docs.github.example/rest', status: String(status) } })
  }
}

// What a commit has that is not green, as GitHub counts it: the deploying job too.
function red(sha, wanted) {
  const checks = (world.checks?.[sha] ?? []).map((run) => ({ context: run.name, state: run.status === 'completed' ? run.conclusion : 'pending' }))
  const contexts = [...checks, ...(world.statuses?.[sha] ?? []).map(({ context, state }) => ({ context, state }))]
  const counted = wanted === undefined ? contexts : contexts.filter(({ context }) => wanted.includes(context))
  return counted.some(({ state }) => state !== 'success') ? counted : []
}

function create(base, body) {
  const { ref, task = 'deploy', auto_merge: merges = true, required_contexts: wanted, payload = {}, environment = 'production', description = null } = body
  if (typeof ref !== 'string' || !SHA.test(ref)) throw new Refusal(422, `No ref found for: ${ref}`)
  if (merges && world.behind) return [202, { message: 'Auto-merged main into topic on deployment.' }]
  const contexts = red(ref, wanted)
  if (contexts.length > 0) {
    throw new Refusal(409, `Conflict: Commit status checks failed for ${ref}.`, [{ contexts, resource: 'Deployment', field: 'required_contexts', code: 'invalid' }])
  }
  const id = next++
  const deployment = {
    id, sha: ref, ref, task, payload, environment, original_environment: environment, description,
    transient_environment: body.transient_environment ?? false,
    production_environment: body.production_environment ?? environment === 'production',
    creator: user(base), created_at: now(), updated_at: now(), node_id: `D_${id}`, performed_via_github_app: null,
    url: `${base}/deployments/${id}`, statuses_url: `${base}/deployments/${id}/statuses`, repository_url: base,
  }
  deployments.push({ deployment, statuses: [], times: [] })
  return [201, deployment]
}

function tell(base, found, body) {
  const { state, description = '', log_url: log = '', environment_url: site = '', target_url: target = log } = body
  if (!STATES.includes(state)) throw new Refusal(422, 'Validation Failed', [{ resource: 'DeploymentStatus', field: 'state', code: 'invalid' }])
  if ([...description].length > 140) throw new Refusal(422, 'Validation Failed', [{ resource: 'DeploymentStatus', field: 'description', code: 'custom', message: 'description is too long (maximum is 140 characters)' }])
  for (const [field, url] of Object.entries({ log_url: log, environment_url: site })) {
    if (url && !/^https?:\/\//.test(url)) throw new Refusal(422, 'Validation Failed', [{ resource: 'DeploymentStatus', field, code: 'custom', message: `${field} must use http(s) scheme` }])
  }
  const { deployment, statuses } = found
  const add = (one, state, rest = {}) => {
    const id = next++
    const status = {
      id, state, description: '', target_url: '', log_url: '', environment_url: '', environment: one.deployment.environment, ...rest,
      creator: user(base), created_at: now(), updated_at: now(), node_id: `DS_${id}`, performed_via_github_app: null,
      deployment_url: one.deployment.url, repository_url: base, url: `${one.deployment.statuses_url}/${id}`,
    }
    one.statuses.unshift(status)
    one.times.unshift(Date.now())
    return status
  }
  if (state === 'success' && (body.auto_inactive ?? true)) {
    for (const other of deployments) {
      const { environment, transient_environment: transient, production_environment: production } = other.deployment
      const counts = other !== found && environment === deployment.environment && !transient && !production
      if (counts && other.statuses[0]?.state === 'success') add(other, 'inactive')
    }
  }
  return [201, add(found, state, { description, log_url: log, environment_url: site, target_url: target })]
}

function run(base, id) {
  const found = world.runs?.[id]
  if (!found) throw new Refusal(404, 'Not Found')
  const url = `${base}/actions/runs/${id}`
  return {
    id: Number(id), node_id: `R_${id}`, head_branch: 'main', run_number: 1, run_attempt: 1, display_title: 'ci', event: 'push', status: 'in_progress', conclusion: null,
    head_sha: '0'.repeat(40), path: '.github/workflows/ci.yml', workflow_id: 1, url, html_url: url, created_at: now(), updated_at: now(), head_commit: null,
    head_repository: repository(base), repository: repository(base), jobs_url: `${url}/jobs`, logs_url: `${url}/logs`, check_suite_url: `${base}/check-suites/1`,
    cancel_url: `${url}/cancel`, rerun_url: `${url}/rerun`, artifacts_url: `${url}/artifacts`, workflow_url: `${base}/actions/workflows/1`, pull_requests: [], ...found,
  }
}

const job = (base, run, one) => ({
  node_id: `J_${one.id}`, run_id: Number(run), run_url: `${base}/actions/runs/${run}`, head_sha: '0'.repeat(40), workflow_name: 'ci', head_branch: 'main', url: `${base}/actions/jobs/${one.id}`,
  html_url: null, status: 'in_progress', conclusion: null, started_at: now(), completed_at: null, check_run_url: `${base}/check-runs/${one.id}`, labels: [], runner_id: 1,
  runner_name: null, runner_group_id: 1, runner_group_name: 'Default', created_at: now(), ...one,
})

const check = (base, sha, one) => ({
  node_id: `C_${one.id}`, head_sha: sha, url: `${base}/check-runs/${one.id}`, html_url: null, details_url: null, status: 'completed', conclusion: null, started_at: now(),
  completed_at: null, external_id: null, check_suite: null, app: null, pull_requests: [], output: { title: null, summary: null, text: null, annotations_count: 0, annotations_url: `${base}/x` }, ...one,
})

const status = (base, sha, one) => ({
  id: next++, node_id: 'S_1', description: null, target_url: null, avatar_url: null, url: `${base}/statuses/${sha}`, created_at: now(), updated_at: now(), ...one,
})

function one(id) {
  const found = deployments.find(({ deployment }) => String(deployment.id) === id)
  if (!found) throw new Refusal(404, 'Not Found')
  return found
}

// Each call: its name for faults, its method and path, and what it does.
const CALLS = [
  ['POST deployments', 'POST', /^\/deployments$/, ({ base, body }) => create(base, body)],
  ['GET deployments', 'GET', /^\/deployments$/, ({ query }) => {
    const fits = ({ deployment }) => ['sha', 'task', 'environment', 'ref'].every((name) => (query.get(name) ?? deployment[name]) === deployment[name])
    return [200, page(deployments.filter(fits).map(({ deployment }) => deployment).reverse(), query)]
  }],
  ['GET deployment', 'GET', /^\/deployments\/(\d+)$/, ({ parts: [id] }) => [200, one(id).deployment]],
  ['POST statuses', 'POST', /^\/deployments\/(\d+)\/statuses$/, ({ base, parts: [id], body }) => tell(base, one(id), body)],
  ['GET statuses', 'GET', /^\/deployments\/(\d+)\/statuses$/, ({ parts: [id], query }) => [200, page(one(id).statuses, query)]],
  ['GET check-runs', 'GET', /^\/commits\/([^/]+)\/check-runs$/, ({ base, parts: [sha], query }) => {
    const all = (world.checks?.[sha] ?? []).map((run) => check(base, sha, run))
    return [200, { total_count: all.length, check_runs: page(all, query) }]
  }],
  ['GET status', 'GET', /^\/commits\/([^/]+)\/status$/, ({ base, parts: [sha], query }) => {
    const all = (world.statuses?.[sha] ?? []).map((one) => status(base, sha, one))
    return [200, { state: 'pending', sha, total_count: all.length, statuses: page(all, query), repository: repository(base), commit_url: `${base}/commits/${sha}`, url: `${base}/commits/${sha}/status` }]
  }],
  ['GET run', 'GET', /^\/actions\/runs\/(\d+)$/, ({ base, parts: [id] }) => [200, run(base, id)]],
  ['GET jobs', 'GET', /^\/actions\/runs\/(\d+)\/attempts\/\d+\/jobs$/, ({ base, parts: [id], query }) => {
    const all = (world.jobs?.[id] ?? []).map((one) => job(base, id, one))
    return [200, { total_count: all.length, jobs: page(all, query) }]
  }],
]

function page(all, query) {
  const size = Math.min(Number(query.get('per_page') ?? 30), 100)
  const start = (Number(query.get('page') ?? 1) - 1) * size
  return all.slice(start, start + size)
}

// The next fault for this place, if it is its turn.
function fault(at) {
  const here = faults.filter((fault) => fault.at === at || fault.at === '*')
  const found = here.find((fault) => (fault.after ?? 0) <= 0)
  for (const later of here.filter((fault) => fault.after > 0)) later.after--
  if (!found) return undefined
  found.times = (found.times ?? 1) - 1
  if (found.times <= 0) faults.splice(faults.indexOf(found), 1)
  return found
}

function answer(response, status, value, headers = {}) {
  const content = Buffer.from(typeof value === 'string' ? value : JSON.stringify(value))
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', 'content-length': content.length, ...headers })
  response.end(content)
}

// Does what is late enough; all of it at the end.
function catchUp(isEnd = false) {
  for (const one of late) one.left--
  const due = late.filter((one) => isEnd || one.left < 0)
  late = late.filter((one) => !due.includes(one))
  for (const { work } of due) attempt(work)
}

// Does what is asked, or fails on the way as the test wants it.
function carry(request, response, name, work) {
  catchUp()
  const broken = fault(name)
  const told = { ...limits(), ...broken?.headers }
  if (broken?.retryAfter !== undefined) told['retry-after'] = String(broken.retryAfter)
  const unwell = () => answer(response, broken.status ?? 502, broken.body ?? '<html>Unicorn!</html>', told)
  switch (broken?.kind) {
    // Nothing is done.
    case 'status':
      return unwell()
    case 'reset':
      return request.socket.destroy()
    case 'stall':
      return
    // It is done only when nobody waits for it any more: after so many other requests.
    case 'late':
      late.push({ left: broken.requests, work })
      return unwell()
  }
  const [status, value] = attempt(work)
  switch (broken?.kind) {
    // It is done, and nobody learns of it.
    case 'status-after':
      return unwell()
    case 'lost':
      return request.socket.destroy()
    case 'stall-after':
      return
    case 'garbage':
      return answer(response, status, broken.body ?? '{"id": ', told)
    // Half of the answer.
    case 'cut': {
      const content = Buffer.from(JSON.stringify(value))
      response.writeHead(status, { 'content-type': 'application/json', 'content-length': content.length })
      return response.write(content.subarray(0, content.length / 2), () => request.socket.destroy())
    }
    default:
      return answer(response, status, value, told)
  }
}

function attempt(work) {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return [error.status, error.body]
  }
}

function limits() {
  if (!world.limit) return {}
  return { 'x-ratelimit-remaining': String(world.limit.remaining), 'x-ratelimit-reset': String(world.limit.reset ?? 1) }
}

function limited() {
  if (!world.limit) return false
  if (world.limit.remaining > 0) {
    world.limit.remaining--
    return false
  }
  // It starts anew after so many refusals.
  if (world.limit.refusals === 0) world.limit.remaining = 5000
  else if (world.limit.refusals !== undefined) world.limit.refusals--
  return world.limit.remaining === 0
}

function identity(request, response, url) {
  carry(request, response, 'GET identity', () => {
    const claims = { iss: address(), aud: url.searchParams.get('audience') ?? 'https://github.example/acme', sub: 'repo:acme/app:ref:refs/heads/main', ...world.claims }
    const encoded = (value) => Buffer.from(JSON.stringify(value)).toString('base64url')
    return [200, { count: 1, value: `${encoded({ alg: 'RS256', typ: 'JWT' })}.${encoded(claims)}.bm90LWEtc2lnbmF0dXJl` }]
  })
}

async function text(request) {
  const pieces = []
  for await (const piece of request) pieces.push(piece)
  return Buffer.concat(pieces).toString()
}

async function serve(request, response) {
  const url = new URL(request.url, address())
  const content = await text(request)
  if (url.pathname === '/_faults') {
    faults = JSON.parse(content)
    return answer(response, 200, {})
  }
  if (url.pathname === '/_world') {
    if (request.method === 'GET') catchUp(true)
    if (request.method === 'PUT') world = JSON.parse(content)
    const wanted = url.searchParams.get('environment')
    return answer(response, 200, { deployments: deployments.filter(({ deployment }) => deployment.environment === wanted) })
  }
  if (url.pathname === '/_fill') {
    const base = `${address()}/repos/acme/app`
    const fill = ({ states = [], ...body }) => {
      const [, { id }] = create(base, { ref: '0'.repeat(40), auto_merge: false, required_contexts: [], ...body })
      for (const state of states) tell(base, one(String(id)), { state, auto_inactive: false })
      return id
    }
    return answer(response, 200, JSON.parse(content).map(fill))
  }
  if (url.pathname === '/_seen') return answer(response, 200, { seen: seen.splice(0), faults })
  const token = request.headers.authorization
  seen.push({ method: request.method, path: url.pathname, query: url.search, authorization: token ?? null, body: content })
  if (!token) return answer(response, 401, { message: 'Requires authentication' })
  if (url.pathname === '/identity') return identity(request, response, url)
  const [, owner, name, path] = /^(?:\/api\/v3)?\/repos\/([^/]+)\/([^/]+)(\/.*)$/.exec(url.pathname) ?? []
  const base = `${address()}/repos/${owner}/${name}`
  for (const [call, method, pattern, work] of CALLS) {
    const parts = method === request.method && pattern.exec(path ?? '')
    if (!parts) continue
    if (world.access === 'none') return answer(response, 404, { message: 'Not Found' })
    if (limited()) return answer(response, 403, { message: 'API rate limit exceeded for installation.' }, limits())
    if (world.access === 'read' && method === 'POST') return answer(response, 403, { message: 'Resource not accessible by integration', documentation_url: 'https://docs.github.example/rest', status: '403' })
    const given = { base, parts: parts.slice(1).map(decodeURIComponent), query: url.searchParams, body: content && JSON.parse(content) }
    return carry(request, response, call, () => work(given))
  }
  answer(response, 404, { message: 'Not Found' })
}

const server = http.createServer((request, response) => {
  serve(request, response).catch((error) => {
    process.stderr.write(`${error.stack}\n`)
    request.socket.destroy()
  })
})
server.listen(0, '127.0.0.1', () => process.stdout.write(`${JSON.stringify({ url: address() })}\n`))
process.stdin.resume().on('end', () => process.exit(0))

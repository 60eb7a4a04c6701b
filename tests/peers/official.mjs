// The official client, npm `@actions/cache`: `node official.mjs save|restore KEY[,RESTORE-KEY...] PATH...`.
// Prints one line of JSON: what it returns, or its error.

import * as cache from '@actions/cache'

const [action, keys, ...paths] = process.argv.slice(2)
const [key, ...restore] = keys.split(',')
let result
try {
  result = action === 'save' ? await cache.saveCache(paths, key) : await cache.restoreCache(paths, key, restore)
} catch (error) {
  result = { error: error.message }
}
process.stdout.write(`\n${JSON.stringify({ result: result ?? null })}\n`)

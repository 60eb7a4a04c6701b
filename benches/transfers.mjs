// The official client's own transfer, npm `@actions/cache`, for `benches/transfers`:
//   node transfers.mjs upload|download URL FILE
//   node transfers.mjs sign http://127.0.0.1:PORT NAME...   makes a container and prints a signed address for each name

import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

const peers = new URL('../tests/peers/', import.meta.url)
const inside = (path) => import(new URL(`node_modules/${path}`, peers).href)
const [action, url, ...rest] = process.argv.slice(2)

if (action === 'sign') {
  const blob = await import(pathToFileURL(createRequire(peers).resolve('@azure/storage-blob')).href)
  const { ACCOUNT, KEY } = await import(new URL('account.mjs', peers).href)
  const credential = new blob.StorageSharedKeyCredential(ACCOUNT, KEY)
  const container = `bench-${Date.now()}`
  await new blob.BlobServiceClient(`${url}/${ACCOUNT}`, credential).createContainer(container)
  const expiresOn = new Date(Date.now() + 24 * 3600_000)
  for (const name of rest) {
    const values = { containerName: container, blobName: name, permissions: blob.BlobSASPermissions.parse('racw'), expiresOn }
    const sas = blob.generateBlobSASQueryParameters(values, credential)
    process.stdout.write(`${url}/${ACCOUNT}/${container}/${name}?${sas}\n`)
  }
} else if (action === 'upload') {
  const { uploadCacheArchiveSDK } = await inside('@actions/cache/lib/internal/uploadUtils.js')
  const { getUploadOptions } = await inside('@actions/cache/lib/options.js')
  // As `saveCacheV2` sets them for the service.
  await uploadCacheArchiveSDK(url, rest[0], { ...getUploadOptions(), uploadChunkSize: 64 << 20, uploadConcurrency: 8, useAzureSdk: true })
} else {
  const { downloadCacheStorageSDK } = await inside('@actions/cache/lib/internal/downloadUtils.js')
  const { getDownloadOptions } = await inside('@actions/cache/lib/options.js')
  await downloadCacheStorageSDK(url, rest[0], getDownloadOptions())
}

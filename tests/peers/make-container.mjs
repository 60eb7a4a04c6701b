// Makes a container in Azurite: `node make-container.mjs http://127.0.0.1:PORT NAME`.

import { BlobServiceClient, StorageSharedKeyCredential } from '@azure/storage-blob'
import { ACCOUNT, KEY } from './account.mjs'

const [url, name] = process.argv.slice(2)
await new BlobServiceClient(`${url}/${ACCOUNT}`, new StorageSharedKeyCredential(ACCOUNT, KEY)).createContainer(name)

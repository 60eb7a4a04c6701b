// The digest of the patterns in the arguments, by the official package as the runner calls it: links are not followed.
// The first argument is the folder with the package.

import path from "node:path";
import { pathToFileURL } from "node:url";

const [packages, ...patterns] = process.argv.slice(2);
const glob = await import(pathToFileURL(path.join(packages, "@actions/glob/lib/glob.js")));
console.log(await glob.hashFiles(patterns.join("\n"), process.cwd(), { followSymbolicLinks: false }));

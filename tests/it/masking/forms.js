// Reads secrets as a JSON array; prints for each how JavaScript writes it.
const values = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
const forms = (value) => ({
  encodeURIComponent: encodeURIComponent(value),
  encodeURI: encodeURI(value),
  form: new URLSearchParams({ k: value }).toString().slice(2),
  query: new URL(`http://h/?${value.replaceAll("#", "")}`).search.slice(1),
  user: ((url) => ((url.username = value), url.username))(new URL("http://h/")),
  "JSON.stringify": JSON.stringify(value).slice(1, -1),
  "JSON.stringify twice": JSON.stringify(JSON.stringify(value)).slice(3, -3),
  hex: Buffer.from(value).toString("hex"),
  base64url: Buffer.from(value).toString("base64url"),
});
process.stdout.write(JSON.stringify(values.map(forms)));

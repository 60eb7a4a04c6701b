// Replaces secrets by `***`. Follows src/Sdk/DTLogging/Logging/SecretMasker.cs and ValueSecret.cs.
// The derived forms (base64, URI, JSON, XML, PowerShell) are not modelled.

export class SecretMasker {
  #values = new Set();

  get count() {
    return this.#values.size;
  }

  add(value) {
    if (value) this.#values.add(value);
  }

  /** A secret of several lines: the whole, and every trimmed line that is not empty. */
  addLines(value) {
    this.add(value);
    for (const line of value.split(/[\r\n]/)) this.add(line.trim());
  }

  mask(text) {
    if (!text || this.#values.size === 0) return text ?? "";
    const ranges = [];
    for (const value of this.#values) {
      for (let at = text.indexOf(value); at >= 0; at = text.indexOf(value, at + 1)) {
        ranges.push([at, at + value.length]);
      }
    }
    if (ranges.length === 0) return text;

    // Overlapping and adjacent hits become one `***`.
    ranges.sort((a, b) => a[0] - b[0]);
    let result = "";
    let done = 0;
    for (let index = 0; index < ranges.length; ) {
      const start = ranges[index][0];
      let end = ranges[index][1];
      for (index += 1; index < ranges.length && ranges[index][0] <= end; index += 1) end = Math.max(end, ranges[index][1]);
      result += `${text.slice(done, start)}***`;
      done = end;
    }
    return result + text.slice(done);
  }
}

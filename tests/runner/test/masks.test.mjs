// Which characters a mask replaces.

import assert from "node:assert/strict";
import { test } from "node:test";
import { SecretMasker } from "../src/masks.mjs";

const CASES = [
  ["every place", ["abc"], "abc-abc", "***-***"],
  ["case counts", ["abc"], "ABC", "ABC"],
  ["overlapping secrets become one", ["abcd", "cdef"], "xabcdefx", "x***x"],
  ["adjacent secrets become one", ["ab", "cd"], "xabcdx", "x***x"],
  ["a secret that overlaps itself", ["aa"], "xaaax", "x***x"],
  ["the empty secret is ignored", [""], "text", "text"],
  ["nothing to do", ["abc"], "", ""],
];

for (const [title, secrets, text, expected] of CASES) {
  test(`masks: ${title}`, () => {
    const masker = new SecretMasker();
    secrets.forEach((secret) => masker.add(secret));
    assert.equal(masker.mask(text), expected);
  });
}

test("a secret of several lines masks each line, trimmed", () => {
  const masker = new SecretMasker();
  masker.addLines("first\r\n\n  second  ");
  assert.equal(masker.count, 3);
  assert.equal(masker.mask("my first and second"), "my *** and ***");
});

"""Writes secrets as Python writes them. Prints JSON: for each secret its value and its forms, each as
[name, what stands before, the form, what stands behind], or, where lines are broken, [name, the whole, the form, ""]."""

import base64
import html
import json
import random
import re
import shlex
import sys
import textwrap
import urllib.parse

seed, count = int(sys.argv[1]), int(sys.argv[2])
rng = random.Random(seed)
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
SIGNS = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
WIDE = "äéßñ€漢字я😀\u00a0\u2028"
ALPHABETS = [LETTERS, LETTERS + "+/-_=", LETTERS + SIGNS, LETTERS + SIGNS + "  ", SIGNS, LETTERS + WIDE, LETTERS + SIGNS + "\t\x7f"]


def secret():
    alphabet = rng.choice(ALPHABETS)
    lines = rng.choice([1, 1, 1, 2, 3])
    text = "\n".join("".join(rng.choice(alphabet) for _ in range(rng.randint(8, 64))) for _ in range(lines))
    # What stands around it is no part of it.
    return rng.choice(LETTERS) + text[1:-1] + rng.choice(LETTERS)


def forms(value):
    raw = value.encode()
    yield "plain", "token=", value, ";"
    for name, encoder in [("standard", base64.b64encode), ("url-safe", base64.urlsafe_b64encode)]:
        for before in range(4):
            for after in [b"", b"\n", b":", b"\n}", b"xyz"]:
                prefix = rng.randbytes(before)
                whole = encoder(prefix + raw + after).decode()
                # The characters that hold a bit of the value, and those that hold nothing else.
                first, last = before * 8 // 6, -(-(before + len(raw)) * 8 // 6)
                yield f"base64 {name} {before} {after!r}", whole[:first], whole[first:last], whole[last:]
    for width in [60, 64, 76]:
        # Breaks at any place in the value. The whole, then those of its characters that the value alone decides.
        before = rng.randint(0, 57)
        whole = base64.b64encode(rng.randbytes(before) + raw + b"xyz").decode()
        first, last = -(-before * 8 // 6), (before + len(raw)) * 8 // 6
        yield f"base64 lines of {width}", "\n".join(textwrap.wrap(whole, width)), whole[first:last], ""
    for name, text in [
        ("hex", raw.hex()),
        ("HEX", raw.hex().upper()),
        ("quote", urllib.parse.quote(value)),
        ("quote all", urllib.parse.quote(value, safe="")),
        ("quote small", re.sub("%..", lambda digits: digits[0].lower(), urllib.parse.quote(value))),
        ("quote_plus", urllib.parse.quote_plus(value)),
        ("json", json.dumps(value)[1:-1]),
        ("json utf-8", json.dumps(value, ensure_ascii=False)[1:-1]),
        ("json twice", json.dumps(json.dumps(value))[3:-3]),
        ("json twice utf-8", json.dumps(json.dumps(value, ensure_ascii=False), ensure_ascii=False)[3:-3]),
        ("json in php", json.dumps(value)[1:-1].replace("/", "\\/")),
        ("html", html.escape(value)),
        ("html text", html.escape(value, quote=False)),
        ("html numbers", html.escape(value).encode("ascii", "xmlcharrefreplace").decode()),
        ("repr", repr(value)[1:-1]),
        ("ascii", ascii(value)[1:-1]),
        ("repr of bytes", repr(raw)[2:-1]),
        ("shlex", shlex.quote(value).strip("'")),
    ]:
        if text:
            yield name, "<", text, ">"


values = [secret() for _ in range(count)]
json.dump([{"value": value, "forms": list(forms(value))} for value in values], sys.stdout)

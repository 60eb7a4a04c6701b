#!/bin/sh
# Finds or fetches the lockgate binary, verifies its bytes, and becomes it: `exec sh install.sh <lockgate's arguments>`.
# `--add-to-path` as the first argument also appends the binary's directory to $GITHUB_PATH. Sources, variables and exit
# codes: README.md. POSIX sh, clean under bash 3.2, dash and busybox ash. Every variable starts with `lg_`, because an
# assignment to a name that the environment exports would change what the binary sees.
# shellcheck disable=SC2016 # backticks in messages are quotation marks
set -eu
unset CDPATH IFS
lg_umask=$(umask) lg_private='' lg_child='' lg_cached='' lg_add=false
lg_other='pass `binary-path` and `binary-sha256`'
lg_mirror="set LOCKGATE_DOWNLOAD_BASE to a mirror that answers, or $lg_other"
umask 077

# Makes text from outside safe to print: no control character, no `##[`, which the runner obeys anywhere in a line.
clean() {
  printf '%s' "$1" | LC_ALL=C tr '\000-\037\177' '?' | LC_ALL=C sed "s/$(printf '\302[\200-\237]')/?/g; s/##\[/## [/g"
}
say() { # <error|warning|notice> <what> [<hint>]
  set -- "$1" "$(clean "$2")" "$(clean "${3-}")"
  printf '%s: %s\n' "$1" "$2" >&2
  [ -z "$3" ] || printf '\nhint: %s\n' "$3" >&2
  [ "${GITHUB_ACTIONS-}" = true ] || return 0
  printf '::%s title=lockgate::%s\n' "$1" "$(printf '%s' "$2${3:+; hint: $3}" | sed 's/%/%25/g')" >&2
}
fail() { # <exit code> <what> <hint>: 2 where the configuration is wrong, 3 where the service or the bytes are
  say error "$2" "$3"
  exit "$1"
}
has() { command -v "$1" >/dev/null 2>&1; }
is_digest() { case $1 in *[!0-9a-f]*) return 1 ;; *) [ "${#1}" -eq 64 ] ;; esac; }
stop() { # when the script ends without becoming the binary
  [ -z "$lg_child" ] || kill "$lg_child" 2>/dev/null || :
  [ -z "$lg_private" ] || rm -rf "$lg_private"
}
digest() {
  if has sha256sum; then sha256sum
  elif has shasum; then shasum -a 256
  elif has openssl; then openssl dgst -sha256 -r
  else python3 -I -c 'import hashlib, sys; print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest())'
  fi <"$1" | cut -c 1-64
}
adopt() { # <file>: copies it into the private directory and says whether the copy has the expected digest
  lg_actual=unreadable
  rm -f "$lg_private/lockgate"
  if cp "$1" "$lg_private/lockgate" 2>/dev/null; then lg_actual=$(digest "$lg_private/lockgate"); fi
  [ "$lg_actual" = "$lg_expected" ] && chmod 700 "$lg_private/lockgate"
}
recorded() { # <name>: its digest in checksums.txt, or nothing; two are as good as none
  lg_found=''
  while read -r lg_digest lg_word || [ -n "$lg_digest" ]; do
    [ "$lg_word" != "$1" ] || lg_found=$lg_found$lg_digest
  done <"$lg_checksums"
  ! is_digest "$lg_found" || printf '%s' "$lg_found"
}
allowed() { # <address>: https, or this very machine; no user name, no odd character
  case $1 in *[[:space:]]* | *[[:cntrl:]]* | *\\* | *\"* | *\'*) return 1 ;; esac
  lg_host=${1#*://} lg_host=${lg_host%%[/?#]*}
  case ${1%%://*}://$lg_host in
    *@* | https://) return 1 ;;
    https://* | http://localhost | http://localhost:* | http://127.0.0.1 | http://127.0.0.1:*) ;;
    'http://[::1]' | 'http://[::1]:'*) ;;
    *) return 1 ;;
  esac
}
run() { # in the background, so that a signal need not wait for it; no file may grow beyond some 200 MB
  lg_code=0
  (ulimit -f 400000 2>/dev/null || :; exec "$@") </dev/null >"$lg_private/answer" 2>"$lg_private/trace" &
  lg_child=$!
  wait "$lg_child" 2>/dev/null || lg_code=$?
  lg_child=''
}
has_wget() { # wget2 is no wget: it follows redirects unasked and takes half an answer for a whole one
  has wget && has timeout && case $(wget --version 2>&1) in 'GNU Wget2'*) false ;; esac
}
lg_python='import shutil, signal, sys, urllib.error, urllib.parse, urllib.request
class Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_): return None
signal.alarm(int(sys.argv[3]))
try: answer = urllib.request.build_opener(Stay).open(sys.argv[1], timeout=20)
except urllib.error.HTTPError as refusal: answer = refusal
print(answer.code, urllib.parse.urljoin(sys.argv[1], answer.headers.get("Location") or ""), flush=True)
with open(sys.argv[2], "wb") as body: shutil.copyfileobj(answer, body)
if answer.length: sys.exit(1)'
request() { # <address>: one answer, its body in the file `archive`. No user configuration, it may hold credentials
  set -- "$1" "$lg_private/archive" "$((lg_deadline - $(date +%s)))"
  [ "$3" -gt 0 ] || set -- "$1" "$2" 1
  rm -f "$2"
  lg_status='' lg_location=''
  if has curl; then
    run curl -q -sS -g --proto '=http,https' --connect-timeout 15 --speed-limit 1 --speed-time 20 --max-time "$3" \
      -o "$2" -w '%{http_code} %{redirect_url}\n' "$1"
  elif has_wget; then
    case $(wget --version 2>&1) in
      GNU*) run env HOME="$lg_private" WGETRC='' LC_ALL=C timeout "$3" \
        wget -S -nv --tries=1 --max-redirect=0 -T 20 -O "$2" "$1" ;;
      *) run timeout "$3" wget -q -S -O "$2" "$1" ;;
    esac
    while read -r lg_word lg_rest; do # the headers that it shows; busybox has then followed redirects by itself
      lg_rest=${lg_rest%"$(printf '\r')"}
      case $lg_word:$lg_rest in
        HTTP/*) lg_status=${lg_rest%% *} ;;
        [Ll]ocation::*)
          case $lg_rest in /*) lg_location=${1%%://*}://$lg_host$lg_rest ;; *) lg_location=$lg_rest ;; esac
          allowed "$lg_location" || { lg_status=302; break; } ;;
      esac
    done <"$lg_private/trace"
  else
    run python3 -I -c "$lg_python" "$@"
  fi
  [ -n "$lg_status" ] || read -r lg_status lg_location <"$lg_private/answer" || lg_status=000
}
fetch() { # <address> <redirects left>
  allowed "$1" ||
    fail 3 "the release server redirects to \`${1%%[?#]*}\`, which is neither https nor this machine" "$lg_mirror"
  request "$1"
  case $lg_status in 30[12378]) ;; *) return 0 ;; esac
  [ "$2" -gt 0 ] || fail 3 'the release server redirects more than 5 times' "$lg_mirror"
  fetch "$lg_location" $(($2 - 1))
}
download() { # <address>: leaves the archive in the private directory
  lg_limit=${LOCKGATE_DOWNLOAD_TIMEOUT:-120}
  case $lg_limit in
    0* | *[!0-9]* | ?????*)
      fail 2 "\`LOCKGATE_DOWNLOAD_TIMEOUT\` is not a time: \`$lg_limit\`" 'write seconds, 1 to 9999' ;;
  esac
  lg_deadline=$(($(date +%s) + lg_limit))
  for lg_try in 1 2 3 4 5; do
    fetch "$1" 5
    case $lg_code:$lg_status in
      0:200) return 0 ;;
      *:408 | *:429 | *:5??) lg_cause="HTTP status $lg_status" ;;
      *:200) lg_cause='the answer broke off' ;;
      *:000) lg_cause=$(sed -n '/^curl: /{p;q;}; $p' "$lg_private/trace" | cut -c 1-200) ;;
      *) fail 3 "cannot download \`$1\`: HTTP status $lg_status" "$lg_mirror" ;;
    esac
    lg_pause=$((1 << (lg_try - 1)))
    [ "$lg_try" -lt 5 ] && [ $(($(date +%s) + lg_pause)) -lt "$lg_deadline" ] || break
    run sleep "$lg_pause"
  done
  fail 3 "cannot download \`$1\`: ${lg_cause:-no answer in time} (attempt $lg_try)" "$lg_mirror"
}
keep() { # fills the tool cache: the binary by a rename, then the marker
  umask 022
  mkdir -p "$lg_cached" && lg_new=$(mktemp "$lg_cached/.lockgate.XXXXXX") || return 1
  cp "$lg_private/lockgate" "$lg_new" && chmod 755 "$lg_new" && mv -f "$lg_new" "$lg_cached/lockgate" &&
    : >"$lg_cached.complete" && return 0
  rm -f "$lg_new"
  return 1
}

if [ "${1-}" = --add-to-path ]; then
  [ -n "${GITHUB_PATH-}" ] || fail 2 '`--add-to-path` needs GITHUB_PATH' 'run it in a step of a workflow'
  lg_add=true
  shift
fi
lg_root=${RUNNER_TEMP:-${TMPDIR:-/tmp}}
case $lg_root in [!/]* | *[[:cntrl:]]*) fail 2 "not an absolute path: \`$lg_root\`" 'set RUNNER_TEMP or TMPDIR' ;; esac
trap stop EXIT
trap 'trap - EXIT; stop; exit 130' INT
trap 'trap - EXIT; stop; exit 143' TERM
lg_private=$(mktemp -d "$lg_root/lockgate.XXXXXX" 2>/dev/null) ||
  fail 3 "cannot make a directory in \`$lg_root\`" 'set RUNNER_TEMP to a directory that this user may write to'
has sha256sum || has shasum || has openssl || has python3 ||
  fail 2 'nothing here computes SHA-256' 'install one of sha256sum, shasum, openssl, python3'

lg_path=${LOCKGATE_BINARY_PATH-} lg_expected=$(printf '%s' "${LOCKGATE_BINARY_SHA256-}" | tr A-F a-f)
if [ -n "$lg_expected" ]; then
  is_digest "$lg_expected" ||
    fail 2 "\`binary-sha256\` is no SHA-256 digest: \`$lg_expected\`" 'write its 64 hexadecimal digits'
  [ -n "$lg_path" ] || fail 2 '`binary-sha256` is given without `binary-path`' 'pass both, or neither'
else
  case $(uname -s)-$(uname -m) in
    Linux-x86_64) lg_name=x86_64-unknown-linux-musl lg_arch=x64 ;;
    Linux-aarch64) lg_name=aarch64-unknown-linux-musl lg_arch=arm64 ;;
    Darwin-x86_64) lg_name=x86_64-apple-darwin lg_arch=x64 ;;
    Darwin-arm64) lg_name=aarch64-apple-darwin lg_arch=arm64 ;;
    *) fail 2 "no lockgate is released for \`$(uname -s) $(uname -m)\`" "$lg_other; on Windows run install.ps1" ;;
  esac
  lg_checksums=${0%"${0##*/}"}checksums.txt
  [ -r "$lg_checksums" ] || fail 2 "cannot read \`$lg_checksums\`" 'use the folder `actions` as it was released'
  read -r lg_word lg_version <"$lg_checksums" || :
  lg_version=${lg_version#lockgate } lg_name=lockgate-$lg_version-$lg_name
  lg_expected=$(recorded "$lg_name/lockgate") lg_archive=$(recorded "$lg_name.tar.gz")
  [ -n "$lg_expected" ] && [ -n "$lg_archive" ] || fail 2 "no checksum of \`$lg_name\` in checksums.txt" "$lg_other"
  [ -z "${RUNNER_TOOL_CACHE-}" ] || lg_cached=$RUNNER_TOOL_CACHE/lockgate/$lg_version/$lg_arch
fi

if [ -n "$lg_path" ]; then
  case $lg_path in /*) ;; *) lg_path=./$lg_path ;; esac
  [ -f "$lg_path" ] || fail 2 "\`binary-path\` is not a file: \`$lg_path\`" 'give the path of a lockgate binary'
  adopt "$lg_path" || fail 3 "\`$lg_path\` has SHA-256 \`$lg_actual\`, not \`$lg_expected\`" \
    'if you trust the file, pass its digest as `binary-sha256`'
elif [ ! -f "$lg_cached.complete" ] || ! adopt "$lg_cached/lockgate"; then
  [ ! -f "$lg_cached.complete" ] || say warning "not the released bytes, fetching them again: \`$lg_cached/lockgate\`"
  has curl || has_wget || has python3 ||
    fail 2 'nothing here can download' "install one of curl, wget with timeout, python3; or $lg_other"
  lg_url=${LOCKGATE_DOWNLOAD_BASE:-https://github.com/lockgate/lockgate/releases/download}
  case $lg_url in *[?#]*) false ;; *) allowed "$lg_url" ;; esac || fail 2 "\`LOCKGATE_DOWNLOAD_BASE\` cannot be used" \
    'write https://<host>/<path>, without user name or query; plain http only for localhost'
  lg_url=${lg_url%/}/v$lg_version/$lg_name.tar.gz
  download "$lg_url"
  [ "$(digest "$lg_private/archive")" = "$lg_archive" ] || fail 3 "not the released bytes: \`$lg_url\`" "$lg_mirror"
  # Tar itself writes no file, so no member can be a link or land elsewhere.
  TAR_OPTIONS='' tar -xzOf "$lg_private/archive" "$lg_name/lockgate" >"$lg_private/member" 2>"$lg_private/trace" ||
    say warning "tar: $(tail -n 1 "$lg_private/trace")"
  adopt "$lg_private/member" || fail 3 "not the released bytes: \`lockgate\` in \`$lg_url\`" "$lg_other"
  [ -z "$lg_cached" ] || (keep) 2>/dev/null || say notice "cannot fill the tool cache: \`$lg_cached\`"
  rm -f "$lg_private/archive" "$lg_private/member" "$lg_private/answer" "$lg_private/trace"
fi

[ -x "$lg_private/lockgate" ] ||
  fail 3 "no program can run from \`$lg_root\`" 'set RUNNER_TEMP to a directory that is not mounted noexec'
if $lg_add; then
  printf '%s\n' "$lg_private" >>"$GITHUB_PATH" || fail 3 "cannot write \`$GITHUB_PATH\`" 'check GITHUB_PATH'
fi
trap - EXIT INT TERM
umask "$lg_umask"
if $lg_add && [ "$#" -eq 0 ]; then exit 0; fi
exec "$lg_private/lockgate" ${1+"$@"}

#!/usr/bin/env bash
# The command line against the sandbox, with the key in a real Secret Service: both platforms, in processes of their own,
# and no trace of the key anywhere but there.
set -euo pipefail
program=$1 scratch=$2
folder=$scratch/keyring
mkdir -p "$folder"
samples=$(cd "$(dirname "$0")/../.." && pwd)/assets/samples

fail() {
  echo "FAILED: $*"
  exit 1
}

"$program" --data-dir "$folder" sandbox >"$scratch/addresses" 2>"$scratch/sandbox.err" &
sandbox=$!
trap 'kill "$sandbox" 2>/dev/null || true' EXIT
for _ in $(seq 200); do
  [ -s "$scratch/addresses" ] && break
  sleep 0.05
done
field() {
  /usr/bin/python3 -c 'import json, sys; print(json.loads(open(sys.argv[1]).readline())[sys.argv[2]][sys.argv[3]])' "$scratch/addresses" "$@"
}
key=$(field biodock key)

printf '%s\n' "$key" | "$program" --data-dir "$folder" connect biodock --label Imaging --url "$(field biodock url)" --key-stdin >"$scratch/out" 2>"$scratch/err" ||
  fail "connect: $(cat "$scratch/err")"
grep -q 'Key in the keyring' "$scratch/out" || fail "the key is not in the keyring: $(cat "$scratch/out")"
"$program" --data-dir "$folder" connect analytics-automated --label Server --url "$(field analytics_automated url)" --email someone@example.org >>"$scratch/out" 2>"$scratch/err" ||
  fail "connect: $(cat "$scratch/err")"

"$program" --data-dir "$folder" --json send --to Imaging --pipeline "Nuclei count" --into "$scratch/sent" "$samples/P01_A01_DAPI.png" >"$scratch/events" 2>"$scratch/err" &
sender=$!
# The process list, while it works. The key comes by standard input, so that the search does not find itself.
printf '%s' "$key" | /usr/bin/python3 -c '
import glob, os, sys, time
key, sender = sys.stdin.buffer.read(), sys.argv[1]
looks = 0
while os.path.exists(f"/proc/{sender}/exe"):
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        try:
            with open(path, "rb") as file:
                if key in file.read():
                    sys.exit(f"the key is in the process list: {path}")
        except OSError:
            continue
    looks += 1
    time.sleep(0.05)
print(f"looked at the process list {looks} times")
' "$sender" || fail "process list"
wait "$sender" || fail "send to the first platform: $(cat "$scratch/err" "$scratch/events")"
"$program" --data-dir "$folder" send --to Server --pipeline wordcount --into "$scratch/sent" "$samples/plate layout.csv" >>"$scratch/events" 2>"$scratch/err" ||
  fail "send to the second platform: $(cat "$scratch/err")"

for place in "$folder" "$scratch/sent" "$scratch/out" "$scratch/err" "$scratch/events"; do
  if grep -rqF -f <(printf '%s' "$key") "$place"; then
    fail "the key is in $place: $(grep -rlF -f <(printf '%s' "$key") "$place")"
  fi
done
for batch in "$scratch"/sent/*/; do
  "$program" check "$batch" >/dev/null || fail "check of $batch"
done
echo "the keyring test passed"

#!/usr/bin/env bash
# Load on the API: `make load`. Starts an installation of its own in a temporary directory, with the demo company and a quiet
# one, lets people at it, prints a table, and leaves nothing behind. Loopback alone. docs/benchmarks.md has the cases.
#
#   HIBACHI=target/release/hibachi   the program                  LOAD=…/load          the load generator
#   LOAD_ROUNDS=3                    times that each case has its turn
#   LOAD_SECONDS=30, LOAD_WARM_UP=15 how long it counts (people: twice that), and does not, each time
#   LOAD_USERS=1000                  people with pauses           LOAD_BUSY=64         users without
#   LOAD_QUIET=10                    people of the quiet company  LOAD_CASES="…"       which cases
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

: "${HIBACHI:=target/release/hibachi}" "${LOAD:=target/load/release/load}"
: "${LOAD_ROUNDS:=3}" "${LOAD_CASES:=people saturated quiet_alone quiet_beside_noisy quiet_beside_throttled}"
export LOAD_SECONDS="${LOAD_SECONDS:-30}" LOAD_WARM_UP="${LOAD_WARM_UP:-15}"
export LOAD_USERS="${LOAD_USERS:-1000}" LOAD_BUSY="${LOAD_BUSY:-64}" LOAD_QUIET="${LOAD_QUIET:-10}"
for program in "$HIBACHI" "$LOAD"; do
    [[ -x $program ]] || { echo "load: there is no $program" >&2; exit 2; }
done
HIBACHI="$(realpath "$HIBACHI")" LOAD="$(realpath "$LOAD")"
# One connection for each of a thousand people, at both ends.
ulimit -n 16384 2>/dev/null || ulimit -n "$(ulimit -Hn)"

place="$(mktemp -d)"
# As root, Postgres runs as another user and has to pass through.
chmod 755 "$place"
export HIBACHI_DATA_DIR="$place/data" LOAD_KEYS="$place/keys.json" NO_PROXY=127.0.0.1
unset DATABASE_URL HIBACHI_MASTER_KEY HIBACHI_SIGNING_KEY HIBACHI_TOKEN_KEY HIBACHI_LOG
server=""

stop() {
    [[ -n $server ]] || return 0
    kill -TERM "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
    server=""
}
trap 'stop; rm -rf "$place"' EXIT
trap 'exit 130' INT TERM

# Starts the program with what else it is told, on a port that is free.
start() {
    : >"$place/out"
    "$HIBACHI" up --demo --listen 127.0.0.1:0 "$@" >"$place/out" 2>"$place/err" &
    server=$!
    for _ in $(seq 600); do
        if grep -q '^ready ' "$place/out"; then
            LOAD_URL="$(awk '$1 == "ready" { print $2; exit }' "$place/out")"
            export LOAD_URL
            return
        fi
        kill -0 "$server" 2>/dev/null || break
        sleep 0.2
    done
    cat "$place/err" >&2
    echo "load: the program did not start" >&2
    exit 2
}

# No allowance holds anybody back but where that is what is measured: all users share a few keys, as a website's visitors do.
unlimited=(--credential-points 0 --company-points 0)

start "${unlimited[@]}"
export HIBACHI_PASSWORD=a-quiet-company-1
hibachi() { "$HIBACHI" "$@" 2>>"$place/err"; }
hibachi company create --slug quiet --name Quiet
hibachi user create --org quiet --email owner@quiet.test --role SUPER_ADMIN
"$LOAD" set-up
hibachi prices export --org my-hibachi --station 'San Jose' --out "$place/prices.csv"
hibachi prices import "$place/prices.csv" --org quiet --station 'San Jose' --reason 'the same prices' --confirm >/dev/null

postgres="$(hibachi postgres -- psql -Atc "select 'PostgreSQL ' || current_setting('server_version') || ', ' || string_agg(
    name || ' ' || current_setting(name), ', ' order by name) from pg_settings
    where name in ('fsync', 'synchronous_commit', 'full_page_writes', 'shared_buffers', 'max_connections')")"

for round in $(seq "$LOAD_ROUNDS"); do
    for case in $LOAD_CASES; do
        stop
        if [[ $case == quiet_beside_throttled ]]; then start; else start "${unlimited[@]}"; fi
        echo "round $round of $LOAD_ROUNDS: $case" >&2
        "$LOAD" "$case" | tee -a "$place/lines"
    done
done
events="$(hibachi postgres -- psql -Atc 'select sum(position) from log_head')"
stop

memory="$(awk '/^MemTotal/ { printf "%.0f GiB", $2 / 1048576 }' /proc/meminfo 2>/dev/null || echo 'unknown memory')"
echo
echo "$(date -u +%F), $("$HIBACHI" --version), commit $(git describe --always --dirty 2>/dev/null || echo unknown), program $HIBACHI;"
echo "$(getconf _NPROCESSORS_ONLN) cores shared with the load generator and the database, $memory; $postgres;"
echo "$LOAD_ROUNDS rounds of $LOAD_SECONDS s after $LOAD_WARM_UP s that do not count; $events events in the end."
echo
"$LOAD" table <"$place/lines"

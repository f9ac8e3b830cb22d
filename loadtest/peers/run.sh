#!/bin/sh
# Builds every peer and the load client, runs the CASEs against each peer and
# writes results.jsonl, results.json and results.md.
#
#   ./run.sh [CASE...]     CASE: RxP (20x16), satP (sat50: rooms of 50 until it fails), idleN (idle2000)
#
#   ONLY=a,b  only these peers       RUNS=2    times per case      SECS=20s  measured per case
#   QUIET=20s longest wait for a quiet machine before a run; TRIES=2 runs of a disturbed case
#   WINDOWS=1 windows of a case within one run, until one is not disturbed
#   STRICT=1  exit with an error when a case could not be run
#   PEERS=peers.json                 BENCH=/tmp/bench (node_modules, binaries)   OUT=$BENCH/out
#
# To add a peer: a line in peers.json with its host, launch command and the name
# of an adapter in load/proto.go ("bin" is the plain websocket one).
set -eu
cd "$(dirname "$0")"
HERE=$PWD
BENCH=${BENCH:-/tmp/bench}
OUT=${OUT:-$BENCH/out}
mkdir -p "$BENCH/node" "$OUT"
go build -o "$BENCH/node/goserver" ./goserver
go build -o "$BENCH/load" ./load
go build -o "$BENCH/node/musterserver" ./musterserver
# The key with which the server and the load client sign; and a Redis beside the server, where there is one: else it is
# embedded in the server's process and counts with it.
MUSTER_KEY_FILE=$BENCH/muster.key
[ -s "$MUSTER_KEY_FILE" ] || (umask 077 && head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n' >"$MUSTER_KEY_FILE")
export MUSTER_KEY_FILE MUSTER_LOG_LEVEL=warn
if [ -z "${MUSTER_REDIS:-}" ] && command -v redis-server >/dev/null; then
	taskset -c 1 redis-server --bind 127.0.0.1 --port "${REDIS_PORT:-9199}" --save '' --appendonly no --daemonize no >"$BENCH/redis.log" &
	redis=$!
	trap 'kill $redis' EXIT
	export MUSTER_REDIS=redis://127.0.0.1:${REDIS_PORT:-9199}
fi
cp node/*.mjs node/package.json "$BENCH/node/"
case ",${ONLY:-colyseus}" in *colyseus* | *socketio*)
	[ -d "$BENCH/node/node_modules/socket.io" ] || (cd "$BENCH/node" && npm install --no-audit --no-fund) ;;
esac
[ $# -gt 0 ] || set -- 20x16 10x50 2x200 1x500 sat50 sat16 idle2000
ulimit -n "$(ulimit -Hn)"
export NODE_ENV=production
taskset -c 1 "$BENCH/load" suite -peers "${PEERS:-$HERE/peers.json}" -only "${ONLY:-}" -runs "${RUNS:-2}" \
	-d "${SECS:-20s}" -quiet "${QUIET:-20s}" -tries "${TRIES:-2}" -windows "${WINDOWS:-1}" -out "$OUT" -dir "$BENCH/node" ${STRICT:+-strict} "$@"
"$BENCH/load" table "$OUT"

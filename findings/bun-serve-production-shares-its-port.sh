#!/usr/bin/env bash
# Bun 1.4.5: `Bun.serve({ development: false })` sets SO_REUSEPORT, although `reusePort` is not given and its documented
# default is false. A second process with the same options starts on the port of the first one without an error, and the
# kernel deals the connections out to both. Only an explicit `reusePort: false` brings EADDRINUSE back; without `development`
# it is there, also under NODE_ENV=production.
# For a broker: two brokers on one port, each with its own data, and clients that see now one and now the other.
# Fails when that changes. Needs npm and a network of packages; takes some ten seconds.
set -euo pipefail
directory=$(mktemp -d)
pid=
trap '[ -z "$pid" ] || kill "$pid" 2>/dev/null || true; rm -rf "$directory"' EXIT
cd "$directory"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund bun@1.4.5 >/dev/null
bun=$directory/node_modules/bun/bin/bun.exe

cat >serve.js <<'JS'
const options = { hostname: "127.0.0.1", port: Number(process.argv[2]), fetch: () => new Response(String(process.pid)) };
for (const pair of process.argv.slice(3)) {
  const [name, value] = pair.split("=");
  options[name] = value === "true";
}
try {
  console.log("listens", Bun.serve(options).port);
} catch (error) {
  console.log("refused", error.code);
  process.exit(0);
}
JS

# What the second of two servers with these options says.
second() {
  rm -f first.txt
  "$bun" serve.js 0 "$@" >first.txt &
  pid=$!
  until grep -qs listens first.txt; do sleep 0.05; done
  port=$(cut -d ' ' -f 2 first.txt)
  timeout 3 "$bun" serve.js "$port" "$@" >second.txt || true
  kill "$pid"
  wait "$pid" 2>/dev/null || true
  pid=
  cut -d ' ' -f 1 second.txt
}

expect() {
  wanted=$1
  shift
  got=$(second "$@")
  echo "${*:-no options}: the second server ${got:-says nothing}"
  [ "$got" = "$wanted" ] || { echo "expected: $wanted"; exit 1; }
}

echo "bun $("$bun" --version)"
expect refused
NODE_ENV=production expect refused
expect listens development=false
expect refused development=false reusePort=false
echo "as described"

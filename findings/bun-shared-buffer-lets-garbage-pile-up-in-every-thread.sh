#!/usr/bin/env bash
# Bun 1.4.5: a SharedArrayBuffer counts with its whole length in the collector of every thread that has it, although there is one
# memory and although nobody has touched it, and in a worker that received it by `postMessage` it counts twice. The collector lets
# as much garbage pile up as a heap of that size would, so that a shared buffer of 64 MiB that takes no memory at all costs a
# process that makes short-lived objects some 100 MiB. The same buffer made growable (`maxByteLength`), which may become as
# large, counts what it has grown to.
# For a broker with a thread for each core and shared counters or arenas: resident memory follows the length of the shared buffers
# times the number of threads, and rises under load that only makes garbage.
# Fails when that changes. Needs npm, Linux (/proc) and a network of packages; takes some ten seconds.
set -euo pipefail
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cd "$directory"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund bun@1.4.5 >/dev/null
bun=$directory/node_modules/bun/bin/bun.exe

cat >worker.js <<'JS'
import { heapStats } from "bun:jsc";
self.onmessage = ({ data }) => {
  globalThis.kept = data;
  Bun.gc(true);
  postMessage(heapStats().extraMemorySize);
};
JS

cat >measure.js <<'JS'
import { heapStats } from "bun:jsc";
import { readFileSync } from "node:fs";
const mebibytes = (bytes) => Math.round(bytes / 2 ** 20);
const resident = () => Number(readFileSync("/proc/self/statm", "utf8").split(" ")[1]) * 4096;
const length = 64 * 2 ** 20;
const buffers = {
  none: () => [],
  whole: () => [new SharedArrayBuffer(length)],
  growable: () => [new SharedArrayBuffer(0, { maxByteLength: length })],
}[process.argv[2]]();
Bun.gc(true);
const own = heapStats().extraMemorySize;
const worker = new Worker("./worker.js");
const other = await new Promise((resolve) => {
  worker.onmessage = ({ data }) => resolve(data);
  worker.postMessage(buffers);
});
const before = resident();
let highest = before;
for (let round = 0; round < 4000; round++) {
  for (let index = 0; index < 200; index++) globalThis.garbage = { list: new Array(20).fill(index), text: `${index}` };
  if (round % 20 === 0) highest = Math.max(highest, resident());
}
const result = { own: mebibytes(own), other: mebibytes(other), garbage: mebibytes(highest - before) };
console.log(JSON.stringify(result));
process.exit(0);
JS

echo "bun $("$bun" --version)"
for kind in none whole growable; do
  "$bun" measure.js "$kind" >"$kind.json"
  echo "$kind, MiB counted here, in the worker, and resident garbage at most: $(cat "$kind.json")"
done
"$bun" -e '
  const read = async (kind) => await Bun.file(`${kind}.json`).json();
  const [none, whole, growable] = [await read("none"), await read("whole"), await read("growable")];
  const counts = whole.own >= 60 && whole.other >= 120 && growable.own < 5 && growable.other < 5;
  const pilesUp = whole.garbage > none.garbage + 40 && whole.garbage > growable.garbage + 40;
  if (!counts || !pilesUp) { console.log("not as described"); process.exit(1); }
  console.log("as described");
'

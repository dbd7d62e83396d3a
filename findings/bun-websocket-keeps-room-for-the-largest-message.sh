#!/usr/bin/env bash
# Bun 1.4.5: `Bun.serve` with `websocket` keeps for each connection the memory that its largest message needed, until the
# connection ends. A hundred clients that each sent one message of 1 MiB and then only a few bytes hold about 100 MiB of the
# server; the messages themselves were handled and are garbage, a collection gives nothing back, and closing the connections does.
# `maxPayloadLength` bounds a message, but nothing bounds or gives back what a connection keeps.
# For a broker: the memory of a server is the number of its WebSocket clients times their largest message ever, logged in or not.
# Fails when that changes. Needs npm, Linux (/proc) and a network of packages; takes some ten seconds.
set -euo pipefail
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cd "$directory"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund bun@1.4.5 >/dev/null
bun=$directory/node_modules/bun/bin/bun.exe

cat >server.js <<'JS'
import { readFileSync } from "node:fs";
const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  fetch: (request, server) => (server.upgrade(request) ? undefined : new Response("upgrade only")),
  websocket: { message: (socket, message) => void socket.send(String(message.length)), idleTimeout: 0 },
});
process.on("message", () => {
  Bun.gc(true);
  const pages = Number(readFileSync("/proc/self/statm", "utf8").split(" ")[1]);
  process.send({ residentMebibytes: (pages * 4096) / 2 ** 20 });
});
process.send({ port: server.port });
JS

cat >measure.js <<'JS'
const clientsCount = 100;
let told;
const next = () => new Promise((resolve) => (told = resolve));
const started = next();
const child = Bun.spawn([process.execPath, "server.js"], { ipc: (message) => told(message), stderr: "inherit" });
const { port } = await started;
const resident = async () => {
  await Bun.sleep(1500); // the allocator gives pages back a little later
  const answer = next();
  child.send("measure");
  return (await answer).residentMebibytes;
};
const answered = (socket) => new Promise((resolve) => (socket.onmessage = resolve));
const sockets = await Promise.all(
  Array.from({ length: clientsCount }, () => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}`);
    return new Promise((resolve, reject) => {
      socket.onopen = () => resolve(socket);
      socket.onerror = reject;
    });
  }),
);
const send = async (bytes) => {
  for (const socket of sockets) {
    const answer = answered(socket);
    socket.send(new Uint8Array(bytes));
    await answer;
  }
};
await send(10);
const connected = await resident();
await send(2 ** 20);
for (let round = 0; round < 3; round++) await send(10);
const afterLarge = await resident();
for (const socket of sockets) socket.close();
await Bun.sleep(500);
const closed = await resident();
child.kill();
const kept = afterLarge - connected;
const givenBack = afterLarge - closed;
console.log(`kept by ${clientsCount} connections that sent 1 MiB once: ${kept.toFixed(0)} MiB`);
console.log(`given back when they closed: ${givenBack.toFixed(0)} MiB`);
if (kept < 80 || givenBack < 60) {
  console.log("not as described");
  process.exit(1);
}
JS

echo "bun $("$bun" --version)"
"$bun" measure.js
echo "as described"

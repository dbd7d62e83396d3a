// Redis with its append-only file: `redis-server` and `redis-benchmark` of Debian's packages, unpacked and not installed.

import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { answers, freePort, newDirectory, runProgram, startServer } from "../programs.ts";
import type { PeerServer } from "./server.ts";

/** Of Debian 12; the packages that the two programs need and that a system may not have. */
const version = "7.0.15";
const packages = ["redis-server", "redis-tools", "libjemalloc2", "liblzf1", "liblua5.1-0"];

const folderIn = (cache: string) => join(cache, `redis-${version}`);

/** Where its own libraries lie. */
export const redisEnvironment = (cache: string) => ({
  LD_LIBRARY_PATH: join(folderIn(cache), "usr/lib/x86_64-linux-gnu"),
});

/** `redis-benchmark`, `redis-cli`. */
export const redisProgram = (cache: string, name: string) => join(folderIn(cache), "usr/bin", name);

export const redis: PeerServer = {
  name: "Redis Streams",
  version,
  durability: {
    write:
      "appendonly yes, appendfsync no: written to the file before the answer, synced by the system; no snapshots, no rewriting",
    sync: "appendonly yes, appendfsync always",
  },

  async install(cache) {
    if (existsSync(folderIn(cache))) return;
    const work = `${folderIn(cache)}.work`;
    rmSync(work, { recursive: true, force: true });
    mkdirSync(join(work, "root"), { recursive: true });
    await runProgram(["apt-get", "download", ...packages], { cwd: work });
    for (const file of readdirSync(work).filter((name) => name.endsWith(".deb"))) {
      await runProgram(["dpkg-deb", "--extract", join(work, file), join(work, "root")]);
    }
    renameSync(join(work, "root"), folderIn(cache));
    rmSync(work, { recursive: true, force: true });
  },

  async start(cache, durability) {
    const [port, directory] = [await freePort(), newDirectory("redis")];
    const settings = {
      port: `${port}`,
      bind: "127.0.0.1",
      dir: join(directory, "data"),
      save: "",
      appendonly: "yes",
      appendfsync: durability === "sync" ? "always" : "no",
      "auto-aof-rewrite-percentage": "0",
    };
    return startServer({
      command: [
        redisProgram(cache, "redis-server"),
        ...Object.entries(settings).flatMap(([key, value]) => [`--${key}`, value]),
      ],
      ...{ port, directory },
      env: redisEnvironment(cache),
      isReady: () => answers(port, "PING\r\n", "+PONG"),
    });
  },
};

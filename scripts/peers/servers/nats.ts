// NATS with JetStream: `nats-server`, and `nats` with its `nats bench`, both built from the Go module proxy.

import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { answers, freePort, newDirectory, runProgram, startServer } from "../programs.ts";
import type { PeerServer } from "./server.ts";

const version = "2.15.3";
const commandLineVersion = "0.5.1";
/** Building both takes minutes where nothing of them is in the caches of Go. */
const buildTimeoutMs = 1_800_000;

const folderIn = (cache: string) => join(cache, "nats");

/** The command line `nats` that was installed. */
export const natsCommandIn = (cache: string) => join(folderIn(cache), "nats");

export const nats: PeerServer = {
  name: "NATS JetStream",
  version,
  durability: {
    write: "its default (sync_interval 2m): a stream of one replica writes to its file before the answer",
    sync: "sync_interval: always",
  },

  async install(cache) {
    const packages = {
      "nats-server": `github.com/nats-io/nats-server/v2@v${version}`,
      nats: `github.com/nats-io/natscli/nats@v${commandLineVersion}`,
    };
    for (const [program, source] of Object.entries(packages)) {
      if (existsSync(join(folderIn(cache), program))) continue;
      mkdirSync(folderIn(cache), { recursive: true });
      await runProgram(["go", "install", source], { env: { GOBIN: folderIn(cache) }, timeoutMs: buildTimeoutMs });
    }
  },

  async start(cache, durability) {
    const [port, directory] = [await freePort(), newDirectory("nats")];
    const sync = durability === "sync" ? "sync_interval: always" : "";
    const configuration = `listen: 127.0.0.1:${port}\njetstream { store_dir: ${JSON.stringify(join(directory, "data"))}\n${sync} }\n`;
    const path = join(directory, "nats.conf");
    writeFileSync(path, configuration);
    return startServer({
      command: [join(folderIn(cache), "nats-server"), "-c", path],
      ...{ port, directory },
      isReady: () => answers(port, "", '"jetstream":true'),
    });
  },
};

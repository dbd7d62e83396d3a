// Installs what Whippet is measured against, into a folder that is kept: the brokers and their tools, and the clients' packages with a
// runtime that all of them take. Nothing of it becomes a part of this project.
//
//   npm run peers:install -- --cache DIRECTORY [--node-sdk CHECKOUT/foreign/node]

import { mkdirSync } from "node:fs";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { endChildrenWithScript } from "../children.ts";
import { installClients } from "./clients/install.ts";
import { kafka } from "./servers/kafka.ts";
import { nats } from "./servers/nats.ts";
import { redis } from "./servers/redis.ts";

const { values } = parseArgs({
  options: { cache: { type: "string" }, "node-sdk": { type: "string" }, help: { type: "boolean", default: false } },
});
if (values.help || values.cache === undefined) {
  console.log(
    "npm run peers:install -- --cache DIRECTORY [--node-sdk FOLDER of the original's Node SDK of server-0.8.0]",
  );
  process.exit(values.help ? 0 : 2);
}
endChildrenWithScript();
const cache = resolve(values.cache);
mkdirSync(cache, { recursive: true });
for (const server of [nats, kafka, redis]) {
  await server.install(cache);
  console.log(`${server.name} ${server.version} is in ${cache}`);
}
for (const line of await installClients(cache, values["node-sdk"])) console.log(line);

// Compiles what `whippet/spawn` needs in Node, and the types of `whippet/spawn` and `whippet/embedded`. Bun runs both from the
// sources. It is done before `npm pack`; in a clone Node needs it once.
//
//   bun scripts/build-testing.ts [output folder]        default: dist/testing

import { mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { compile } from "./compile.ts";

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Those of the sources would bring along the types of the whole server. */
const embeddedTypes = `import type { StartBroker } from "../spawn/broker.js";
export type { Broker, BrokerNetwork, BrokerOptions, BrokerTransport, InProcessBroker, StartBroker } from "../spawn/broker.js";
/** Starts a broker. */
export declare const startBroker: StartBroker;
`;

/** Into `folder`, whose earlier content is removed. */
export async function buildTesting(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await compile(["spawn/index.node.ts"], folder);
  await mkdir(join(folder, "embedded"), { recursive: true });
  await writeFile(join(folder, "embedded/index.d.ts"), embeddedTypes);
}

if (import.meta.main) {
  const folder = resolve(process.argv[2] ?? join(root, "dist/testing"));
  await buildTesting(folder);
  console.log(folder);
}

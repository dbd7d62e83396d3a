// The thread of one shard: a Bun worker over the real disk, clock and timers, which does what the main thread says
// (shard/lifecycle.ts).
declare const self: Worker;

import packageJson from "../../package.json" with { type: "json" };
import { TokenKeyError } from "../config/token-keys.ts";
import { DataVersionError, MetadataKeyError, packState, unpackState } from "../metadata/index.ts";
import { createLogger } from "../observability/log.ts";
import { LogFile } from "../observability/log-file.ts";
import { createLogOutput } from "../observability/log-output.ts";
import { openTelemetry } from "../observability/telemetry/open-telemetry.ts";
import { noTelemetry, telemetryTarget } from "../observability/telemetry/telemetry.ts";
import type { FromShard, ShardStart, ToShard } from "../shard/index.ts";
import { TakeoverError } from "../takeover/takeover-error.ts";
import { SidecarRefusedError } from "../transport/quic/sidecar-process.ts";
import { realHost } from "./shard-host.ts";
import { ShardProcess } from "./shard-process.ts";

function post(message: FromShard): void {
  self.postMessage(message);
}

let telemetry = noTelemetry;

async function open(start: ShardStart): Promise<ShardProcess> {
  const { system, telemetry: exporting } = start.config;
  telemetry = await openTelemetry(
    exporting,
    { version: packageJson.version, thread: `shard-${start.shardId}` },
    (message) => root.child(telemetryTarget).warn("what is to be exported cannot be sent", { reason: message }),
  );
  const output = createLogOutput(start.logFile && new LogFile(start.logFile), {
    format: system.logging.format,
    record: telemetry.record,
  });
  const root = createLogger({ filter: start.logFilter, ...output });
  const host = realHost(start.loginPort, start.shardCount, telemetry.spans);
  const { packedState, ...setup } = start;
  const state = packedState && unpackState(packedState);
  const { shard } = await ShardProcess.open({ ...setup, state }, host, root, (found, hasSetRootPassword) =>
    post({ kind: "metadata", packedState: packState(found), hasSetRootPassword }),
  );
  post({ kind: "opened" });
  return shard;
}

/** Why the shard cannot go on; what the operator can mend is said without a stack. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const expected = [TakeoverError, MetadataKeyError, DataVersionError, TokenKeyError, SidecarRefusedError];
  const isExpected = expected.some((kind) => error instanceof kind);
  return isExpected ? error.message : (error.stack ?? error.message);
}

// Who reads it may have gone; what is written there is not worth the process.
process.stderr.on("error", () => {});

let opening: Promise<ShardProcess> | undefined;

async function handle(message: ToShard): Promise<void> {
  if (message.kind === "start") {
    opening = open(message.start);
    await opening;
    return;
  }
  if (opening === undefined) throw new Error(`${message.kind} came before start`);
  const shardProcess = await opening; // a change of the certificates may come meanwhile
  switch (message.kind) {
    case "listen":
      post({ kind: "listening", ports: await shardProcess.listen(message.ports) });
      return;
    case "bound":
      shardProcess.startPulse();
      shardProcess.bound(message.ports);
      shardProcess.startSysinfo();
      return;
    case "certificate":
      shardProcess.changeCertificates(message.tls);
      return;
    case "quiesce":
      await shardProcess.quiesce();
      post({ kind: "quiesced" });
      return;
    case "close":
      await shardProcess.close();
      await telemetry.end();
      post({ kind: "closed" });
      return;
  }
}

self.onmessage = (event: MessageEvent<ToShard>) => {
  handle(event.data).catch((error: unknown) => {
    post({ kind: "failed", reason: reasonOf(error) });
  });
};
post({ kind: "loaded" });

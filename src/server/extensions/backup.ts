// Backups (docs/protocol-extensions.md): the broker makes a point, whoever asked copies it and says when that is done.
import { resolve } from "node:path";
import { assert } from "../../platform/assert.ts";
import { splitPartitionKey } from "../../shard/index.ts";
import { actorOf } from "../audit.ts";
import { requireRight } from "../rights.ts";
import { extension } from "./extension.ts";

/** Errors: 41; 9000 (`BackupPoints.make`). */
export const beginBackup = extension("beginBackup", async (context, session) => {
  const { shard, auditLog } = context;
  requireRight(shard, session, "backup");
  const point = await shard.backup({ action: "make" });
  assert(point !== undefined, "what was made is told");
  const { pointId, directory, partitionsCount, closedKeys } = point;
  auditLog.info("began a backup", {
    point: pointId,
    partitions: partitionsCount,
    right: "backup",
    ...actorOf(context, session),
  });
  return { pointId, directory: resolve(directory), partitionsCount, closed: closedKeys.map(splitPartitionKey) };
});

/** Errors: 41; 20 for a point that is gone. */
export const keepBackup = extension("keepBackup", async ({ shard }, session, { pointId }) => {
  requireRight(shard, session, "backup");
  await shard.backup({ action: "keep", pointId });
});

/** Errors: 41. A point that is gone is no error: the broker may have started anew. */
export const endBackup = extension("endBackup", async (context, session, { pointId }) => {
  const { shard, auditLog } = context;
  requireRight(shard, session, "backup");
  await shard.backup({ action: "remove", pointId });
  auditLog.info("ended a backup", { point: pointId, right: "backup", ...actorOf(context, session) });
});

// Gives every partition of a data directory what one of them holds, while no broker runs on it. A log says nothing of the partition
// that it is of, only its mark does; so this comes to the same as sends to each, and takes a tenth of the time.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { loadConfig } from "../../src/config/load.ts";
import { entriesById, logIdOf, MetadataLog } from "../../src/metadata/index.ts";
import { realDisk } from "../../src/platform/real-disk.ts";
import { dataPaths } from "../../src/shard/index.ts";
import { encodeMark, noGroups } from "../../src/storage/mark-format.ts";

const logName = "00000000000000000000.log";
const indexName = "00000000000000000000.index";
const markName = "partition.mark";

/**
 * Partition 0 of topic 0 of stream 0 has one segment of which no index row is written, as after sends that were not saved; so has
 * every other one afterwards. How many there are. `dataPath`: `system.path`, with the default layout.
 */
export function copyFirstPartition(dataPath: string): number {
  const environment = { IGGY_CONFIG_PATH: "/dev/null", IGGY_SYSTEM_PATH: dataPath };
  const paths = dataPaths(loadConfig({ environment, workingDirectory: "/" }).config.system);
  const log = readFileSync(join(paths.partitionDirectory(0, 0, 0), logName));
  const opened = MetadataLog.open({
    disk: realDisk,
    directory: paths.stateDirectory,
    enforceFsync: false,
    onSnapshotFailure: (error) => {
      throw error;
    },
  });
  let count = 0;
  for (const stream of entriesById(opened.state.streams)) {
    for (const topic of entriesById(stream.topics)) {
      for (const [partitionId, { logBase }] of topic.partitions.entries()) {
        const directory = paths.partitionDirectory(stream.id, topic.id, partitionId);
        const logId = logIdOf(logBase, topic.id, partitionId);
        mkdirSync(directory, { recursive: true });
        writeFileSync(join(directory, markName), encodeMark({ logId, nextOffset: 0, groups: noGroups }));
        writeFileSync(join(directory, logName), log);
        writeFileSync(join(directory, indexName), "");
        count++;
      }
    }
  }
  opened.log.close();
  return count;
}

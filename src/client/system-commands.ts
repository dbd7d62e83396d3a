// The server itself: ping, clients, statistics, cluster and snapshot (spec BP 4.2).

import { CommandCode } from "../protocol/codes.ts";
import type { ClientDetails, ClientHeader } from "../protocol/records/client-header.ts";
import type { ClusterMetadata } from "../protocol/records/cluster-metadata.ts";
import { SnapshotCompressionCode, SnapshotTypeCode } from "../protocol/records/enumerations.ts";
import type { Stats } from "../protocol/records/stats.ts";
import { commandCodecs } from "../protocol/registry.ts";
import type { SnapshotOptions } from "../protocol/system/get-snapshot.ts";
import { CommandSender } from "./command-sender.ts";

export abstract class SystemCommands extends CommandSender {
  ping(): Promise<void> {
    return this.run(CommandCode.ping, commandCodecs.ping, undefined);
  }

  getMe(): Promise<ClientDetails> {
    return this.run(CommandCode.getMe, commandCodecs.getMe, undefined);
  }

  getClients(): Promise<readonly ClientHeader[]> {
    return this.run(CommandCode.getClients, commandCodecs.getClients, undefined);
  }

  getClient(clientId: number): Promise<ClientDetails | undefined> {
    return this.find(CommandCode.getClient, commandCodecs.getClient, { clientId });
  }

  getStats(): Promise<Stats> {
    return this.run(CommandCode.getStats, commandCodecs.getStats, undefined);
  }

  getClusterMetadata(): Promise<ClusterMetadata> {
    return this.run(CommandCode.getClusterMetadata, commandCodecs.getClusterMetadata, undefined);
  }

  /**
   * A ZIP archive with one text for each type, which tells about the machine, the configuration and the log; `deflated`
   * and `["all"]` if not given. The bytes are a view of the reply. Unauthorized (41) without the right for it,
   * InvalidCommand (3) for "all" beside another type, SnapshotFileCompletionFailed (9000).
   */
  getSnapshot(options: Partial<SnapshotOptions> = {}): Promise<Uint8Array> {
    const { compression = "deflated", types = ["all"] } = options;
    const request = {
      compressionCode: SnapshotCompressionCode[compression],
      typeCodes: types.map((type) => SnapshotTypeCode[type]),
    };
    return this.run(CommandCode.getSnapshot, commandCodecs.getSnapshot, request);
  }
}

// What the routes work with.
import type { Server } from "bun";
import type { Config } from "../../config/schema/index.ts";
import type { Logger } from "../../observability/log.ts";
import type { ServerContext } from "../../server/index.ts";
import type { FrameMemory, TlsCertificates } from "../../shard/index.ts";
import type { AccessTokens } from "./auth/access-tokens.ts";
import type { ConsoleSocketData } from "./console/socket-handler.ts";
import type { EventStreams } from "./events/event-streams.ts";
import type { HttpMetrics } from "./metrics.ts";

/** Answers one request; never rejects. Undefined: the request became a socket. */
export type FetchHandler = (
  request: Request,
  server: Server<ConsoleSocketData>,
) => Response | undefined | Promise<Response | undefined>;

export interface HttpServices {
  readonly context: ServerContext;
  readonly config: Config["http"];
  /** Memory of this shard for batches on their way to a partition. */
  readonly frameMemory: FrameMemory;
  readonly tokens: AccessTokens;
  readonly metrics: HttpMetrics;
  /** Those that transports show now. */
  readonly certificates: () => TlsCertificates;
  readonly events: EventStreams;
  /** `ip:port` of the client; empty if it has gone. */
  readonly peerOf: (request: Request) => string;
  readonly log: Logger;
}

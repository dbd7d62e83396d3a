// Metrics as OpenMetrics text, served as `text/plain` like the original's (spec HA 6, SB 8.5). The original's families come first, under its names; those of our own begin with
// `whippet_`. Everything is computed when somebody asks, from live state, so that it is right after a restart too.
import { Counter, Gauge, type OpenMetricsContentType, Registry } from "prom-client";
import { allTotals, type ServerContext } from "../../server/index.ts";
import type { ShardStatistics } from "../../shard/index.ts";
import { CommandDurations } from "./command-durations.ts";
import { type GroupLag, readGroupLags } from "./group-lag.ts";

interface Totals {
  readonly streams: number;
  readonly topics: number;
  readonly partitions: number;
  readonly segments: number;
  readonly messages: number;
  readonly users: number;
  readonly clients: number;
}

const totalNames = ["streams", "topics", "partitions", "segments", "messages", "users", "clients"] as const;
const transports = ["tcp", "quic", "http", "websocket"] as const;

export class HttpMetrics {
  readonly #context: ServerContext;
  readonly #registry = new Registry<OpenMetricsContentType>();
  readonly #requests: Counter;
  readonly #totals: ReadonlyMap<keyof Totals, Gauge>;
  readonly #durations: CommandDurations;
  readonly #received: Counter<"transport">;
  readonly #sent: Counter<"transport">;
  readonly #mailboxDepth: Gauge<"shard">;
  readonly #forwarded: Counter<"shard">;
  readonly #waited: Counter<"shard">;
  readonly #moved: Counter<"shard">;
  readonly #lag: Gauge<"stream" | "topic" | "group">;
  #running: Promise<string> | undefined;

  constructor(context: ServerContext) {
    const registry = this.#registry;
    const registers = [registry];
    const counter = <T extends string>(name: string, help: string, labelNames: T[]) =>
      new Counter({ name, help, labelNames, registers });
    const gauge = <T extends string>(name: string, help: string, labelNames: T[]) =>
      new Gauge({ name, help, labelNames, registers });
    registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
    this.#context = context;
    this.#requests = counter("http_requests_total", "total count of http_requests.", []);
    this.#totals = new Map(totalNames.map((name) => [name, gauge(name, `total count of ${name}.`, [])]));
    this.#durations = new CommandDurations(registry);
    const bytes = "of requests and replies without framing, by transport.";
    this.#received = counter("whippet_received_bytes_total", `bytes received, ${bytes}`, ["transport"]);
    this.#sent = counter("whippet_sent_bytes_total", `bytes sent, ${bytes}`, ["transport"]);
    this.#mailboxDepth = gauge("whippet_mailbox_depth", "requests of a shard to others that have no reply yet.", [
      "shard",
    ]);
    this.#forwarded = counter("whippet_forwarded_requests_total", "requests of a shard to others.", ["shard"]);
    this.#waited = counter("whippet_mailbox_waits_total", "forwarded requests that waited for room.", ["shard"]);
    this.#moved = counter("whippet_moved_connections_total", "connections handed to another shard.", ["shard"]);
    this.#lag = gauge("whippet_consumer_group_lag", "messages after the stored offsets.", ["stream", "topic", "group"]);
  }

  /** One request came in, whatever becomes of it. */
  countRequest(): void {
    this.#requests.inc();
  }

  /** All families. Who asks while an answer is being made gets the same one: asking takes no token. */
  text(): Promise<string> {
    this.#running ??= this.#make().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #make(): Promise<string> {
    const lags = await readGroupLags(this.#context);
    const shards = await this.#context.shard.allStatistics();
    this.#showTotals();
    this.#durations.show(shards);
    this.#showTransports(shards);
    this.#showShards(shards);
    this.#showLags(lags);
    return this.#registry.metrics();
  }

  #showTotals(): void {
    const totals = countTotals(this.#context);
    for (const [name, gauge] of this.#totals) gauge.set(totals[name]);
  }

  #showTransports(shards: readonly ShardStatistics[]): void {
    this.#received.reset();
    this.#sent.reset();
    for (const transport of transports) {
      for (const shard of shards) {
        const { receivedBytes, sentBytes } = shard.transports[transport];
        this.#received.inc({ transport }, receivedBytes);
        this.#sent.inc({ transport }, sentBytes);
      }
    }
  }

  #showShards(shards: readonly ShardStatistics[]): void {
    for (const counter of [this.#forwarded, this.#waited, this.#moved]) counter.reset();
    for (const { shardId, mailbox, movedConnections } of shards) {
      const labels = { shard: String(shardId) };
      this.#mailboxDepth.set(labels, mailbox.depth);
      this.#forwarded.inc(labels, mailbox.sentCount);
      this.#waited.inc(labels, mailbox.waitedCount);
      this.#moved.inc(labels, movedConnections);
    }
  }

  #showLags(lags: readonly GroupLag[]): void {
    this.#lag.reset();
    for (const { messages, ...labels } of lags) this.#lag.set(labels, messages);
  }
}

function countTotals({ shard }: ServerContext): Totals {
  const { state, counters } = shard;
  const { segmentsCount, messagesCount, topicsCount, partitionsCount } = allTotals(shard);
  return {
    streams: state.streams.byId.size,
    topics: topicsCount,
    partitions: partitionsCount,
    segments: segmentsCount,
    messages: messagesCount,
    users: state.users.byId.size,
    clients: counters.clientsCount(),
  };
}

// The transports of one shard: TCP and WebSocket on every shard, HTTP and QUIC on shard 0.
import { join } from "node:path";
import { isLoopbackHost, type ListenAddress, parseListenAddress } from "../config/address.ts";
import type { Config } from "../config/schema/index.ts";
import type { Logger } from "../observability/log.ts";
import type { Disk } from "../platform/disk.ts";
import type { ServerContext } from "../server/index.ts";
import {
  arenaBytesMax,
  type BoundPorts,
  dataPaths,
  FrameMemory,
  type MovedConnection,
  type ShardSetup,
  type TlsCertificates,
} from "../shard/index.ts";
import { kernelReservedBytes } from "../storage/index.ts";
import { Admission, type ClientLimits } from "../transport/admission.ts";
import { BusyPoll } from "../transport/busy-poll.ts";
import { HttpServer, type HttpServerOptions } from "../transport/http/server.ts";
import { QuicListener } from "../transport/quic/listener.ts";
import { SidecarUnavailableError } from "../transport/quic/sidecar-program.ts";
import { TcpListener } from "../transport/tcp/listener.ts";
import { WebSocketListener } from "../transport/websocket/listener.ts";
import type { DescriptorShares } from "./descriptors.ts";

export interface ShardTransportsOptions {
  readonly start: ShardSetup;
  readonly context: ServerContext;
  /** Holds what HTTP keeps beside the metadata. */
  readonly disk: Disk;
  /** So that files keep their share. */
  readonly descriptors: DescriptorShares;
  /** Of the process; 0 while it is not known, or HTTP is off. */
  readonly httpPort: () => number;
  readonly log: Logger;
}

export class ShardTransports {
  readonly #start: ShardSetup;
  readonly #log: Logger;
  readonly #tcp: TcpListener;
  readonly #websocket: WebSocketListener;
  readonly #quic: QuicListener | undefined;
  /** Undefined: no HTTP here. */
  readonly #httpOptions: HttpServerOptions | undefined;
  /** Those that are shown now. */
  #certificates: TlsCertificates;
  /** Made when the shard begins to listen. */
  #http: HttpServer | undefined;

  constructor({ start, context, disk, descriptors, httpPort, log }: ShardTransportsOptions) {
    const { config, shardId, shardCount } = start;
    this.#start = start;
    this.#certificates = start.tls;
    this.#log = log;
    const transport = {
      context,
      frameMemory: new FrameMemory({
        memory: start.memories[shardId]!,
        reservedBytes: kernelReservedBytes,
        arenaBytesMax: Math.min(arenaBytesMax, Math.floor(config.system.memoryPool.sizeBytes / shardCount)),
        largeBytesMax: Math.max(config.tcp.maxRequestSizeBytes, config.system.memoryPool.sizeBytes / shardCount),
      }),
      busyPoll: new BusyPoll(),
      frames: config.tcp.frames,
      requestBytesMax: config.tcp.maxRequestSizeBytes,
      largeSendsMax: config.limits.largeSendsPerConnection || Number.POSITIVE_INFINITY,
      admission: new Admission({
        limits: limitsOf(config.connections, descriptors.clients),
        shard: context.shard,
        sessions: context.sessions,
        log: log.child("connections"),
      }),
    };
    this.#tcp = new TcpListener({
      ...transport,
      handshakeTimeoutMs: config.connections.tlsHandshakeTimeoutMicros / 1000,
      trustedProxies: config.tcp.proxyProtocol.trusted,
      canMove: config.tcp.socketMigration && shardCount > 1,
      socketOptions: config.tcp.socket.overrideDefaults ? config.tcp.socket : undefined,
      tls: start.tls.tcp,
      log: log.child("tcp"),
    });
    this.#websocket = new WebSocketListener({
      ...transport,
      limits: {
        messageBytesMax: config.websocket.maxMessageSizeBytes,
        readBufferBytes: config.websocket.readBufferSizeBytes,
        writeBufferBytesMax: config.websocket.maxWriteBufferSizeBytes,
      },
      originRules: () => ({ allowedOrigins: config.websocket.allowedOrigins, httpPort: httpPort() }),
      hostRules: {
        isLoopback: isLoopbackHost(hostOf(config.websocket.address)),
        allowedHosts: config.http.allowedHosts,
      },
      handshakesMax: atMost(descriptors.handshakesPerShard, config.connections.maxHandshakes / shardCount),
      tls: start.tls.websocket,
      log: log.child("websocket"),
    });
    if (start.tls.quic !== undefined && shardId === 0) {
      this.#quic = new QuicListener({
        ...transport,
        certificate: start.tls.quic,
        directory: join(config.system.path, config.system.runtime.path, "quic"),
        withoutLoginMax: config.connections.maxQuicWithoutLogin || Number.POSITIVE_INFINITY,
        streamsMax: config.quic.maxConcurrentBidiStreams,
        keepAliveMs: config.quic.keepAliveIntervalMicros / 1000,
        idleTimeoutMs: config.quic.maxIdleTimeoutMicros / 1000,
        log: log.child("quic"),
      });
      // While the other shards are not ready yet.
      this.#quic.prepare(addressOf(config.quic.address));
    }
    if (config.http.enabled && shardId === 0) {
      this.#httpOptions = {
        context,
        config: config.http,
        connectionsMax: atMost(descriptors.http, config.connections.maxHttp),
        frameMemory: transport.frameMemory,
        binary: { ...transport, log: log.child("console") },
        certificates: () => this.#certificates,
        disk,
        stateDirectory: dataPaths(config.system).stateDirectory,
        log: log.child("http"),
      };
    }
  }

  /** Of the binary transports. */
  get #listeners(): readonly (TcpListener | WebSocketListener | QuicListener)[] {
    return [this.#tcp, this.#websocket, ...(this.#quic === undefined ? [] : [this.#quic])];
  }

  /** Goes on with a connection that another shard held. */
  adopt(connection: MovedConnection): void {
    this.#tcp.adopt(connection);
  }

  /** Starts to accept at the asked ports, 0: any; resolves with those that are bound. Rejects if one cannot be. */
  async listen(asked: BoundPorts): Promise<BoundPorts> {
    const { tcp, websocket, http } = this.#start.config;
    const ports = { ...asked };
    if (tcp.enabled) ports.tcp = this.#tcp.listen({ host: hostOf(tcp.address), port: asked.tcp });
    if (websocket.enabled) {
      ports.websocket = this.#websocket.listen({ host: hostOf(websocket.address), port: asked.websocket });
    }
    if (this.#httpOptions !== undefined) {
      this.#http = new HttpServer(this.#httpOptions);
      ports.http = await this.#http.listen({ host: hostOf(http.address), port: asked.http }, this.#start.tls.http);
    }
    if (this.#quic !== undefined) ports.quic = await this.#listenForQuic(this.#quic, asked.quic);
    return ports;
  }

  /** The port; 0 where this machine has no QUIC, which the other transports can do without. */
  async #listenForQuic(listener: QuicListener, port: number): Promise<number> {
    try {
      return await listener.listen({ host: hostOf(this.#start.config.quic.address), port });
    } catch (error) {
      if (!(error instanceof SidecarUnavailableError)) throw error;
      this.#log.warn("QUIC is off on this machine; the other transports work", { reason: error.message });
      return 0;
    }
  }

  /** New connections get these; open ones do not notice. */
  changeCertificates(tls: TlsCertificates): void {
    this.#certificates = { ...this.#certificates, ...tls };
    if (tls.tcp !== undefined) this.#tcp.reloadTls(tls.tcp);
    if (tls.websocket !== undefined) this.#websocket.reloadTls(tls.websocket);
    if (tls.quic !== undefined) this.#quic?.changeCertificate(tls.quic);
    if (tls.http !== undefined) this.#http?.changeCertificate(tls.http);
  }

  /** No new connections; open ones are told, and requests under way are finished (spec SB 8.10). */
  stop(): void {
    for (const listener of this.#listeners) listener.stop();
    this.#http?.stop();
  }

  /** Connections are open, or requests under way. */
  get isBusy(): boolean {
    return this.#listeners.some((listener) => listener.connectionsCount > 0) || (this.#http?.pendingRequests ?? 0) > 0;
  }

  /** Cuts what is still there. */
  async terminate(): Promise<void> {
    this.#http?.terminate();
    await Promise.all(this.#listeners.map((listener) => listener.terminate()));
  }
}

/** What is configured, 0: nothing, but not more than descriptors allow. */
function atMost(descriptorsMax: number, configured: number): number {
  return Math.min(descriptorsMax, Math.ceil(configured) || Number.POSITIVE_INFINITY);
}

/** 0 in the configuration: what the machine or common sense gives. */
function limitsOf(configured: Config["connections"], descriptorsMax: number): ClientLimits {
  const max = atMost(descriptorsMax, configured.max);
  return {
    max,
    maxPerAddress: configured.maxPerAddress || Number.POSITIVE_INFINITY,
    maxWithoutLogin: configured.maxWithoutLogin || Math.ceil(max / 2),
    maxWithoutLoginPerAddress: configured.maxWithoutLoginPerAddress || Number.POSITIVE_INFINITY,
  };
}

/** Validation has checked the address of a transport that is on. */
function addressOf(address: string): ListenAddress {
  return parseListenAddress(address) ?? { host: "127.0.0.1", port: 0 };
}

function hostOf(address: string): string {
  return addressOf(address).host;
}

// QUIC of shard 0. The broker's side of the sidecar: a unix socket to which the sidecar opens one connection for each QUIC
// connection of a client. What comes through it is served as TCP is; it stays on this shard.
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Socket, SocketHandler, UnixSocketListener } from "bun";
import type { ListenAddress } from "../../config/address.ts";
import type { CertificatePair } from "../../security/certificates.ts";
import { KeptBacklog } from "../backlog.ts";
import { Connections, type TransportOptions } from "../connections.ts";
import { TcpConnection } from "../tcp/connection.ts";
import { decodePreamble, preambleBytes } from "./sidecar-messages.ts";
import { SidecarProcess } from "./sidecar-process.ts";
import { prepareSidecarProgram, SidecarUnavailableError } from "./sidecar-program.ts";

export interface QuicListenerOptions extends TransportOptions {
  readonly certificate: CertificatePair;
  /** For the unix socket; made if missing. */
  readonly directory: string;
  /** `quic.max_concurrent_bidi_streams` */
  readonly streamsMax: number;
  /** `connections.max_quic_without_login`; each takes memory of the sidecar. Infinity: no limit of their own. */
  readonly withoutLoginMax: number;
  /** 0: off. */
  readonly keepAliveMs: number;
  /** 0: the engine's 30 s (spec SB 1.4). */
  readonly idleTimeoutMs: number;
}

interface SocketData {
  /** Undefined until the client's address has arrived. */
  connection: TcpConnection | undefined;
  preamble: Uint8Array;
}

/** Longest path that the system takes for a unix socket. */
const socketPathBytesMax = 107;
/**
 * Streams that one client gets at most. The engine buffers up to 1.25 MB of each that is not read yet and has no limit for
 * all of them together, so this is the limit. Requests of one connection are answered one after the other anyway.
 */
const streamsMaxCap = 32;

const nothing: Uint8Array = new Uint8Array(0);

export class QuicListener {
  readonly #options: QuicListenerOptions;
  readonly #connections: Connections;
  #preparing: Promise<SidecarProcess> | undefined;
  #sidecar: SidecarProcess | undefined;
  #listener: UnixSocketListener<SocketData> | undefined;
  /** Removed at the end. */
  #socketDirectory: string | undefined;

  constructor(options: QuicListenerOptions) {
    this.#options = options;
    this.#connections = new Connections("quic", options);
  }

  /**
   * Begins what takes a while before `listen` at the same address: the sidecar is loaded, and waits. No port is open yet, and
   * `listen` tells what fails.
   */
  prepare(address: ListenAddress): void {
    this.#preparing ??= this.#prepare(address);
    this.#preparing.catch(() => undefined);
  }

  /**
   * Starts the sidecar; resolves with the UDP port. Throws `SidecarUnavailableError` if this machine cannot run it, and
   * `SidecarRefusedError` if the address or the certificate cannot be used.
   */
  async listen(address: ListenAddress): Promise<number> {
    const sidecar = await (this.#preparing ?? this.#prepare(address));
    this.#sidecar = sidecar;
    try {
      const bound = await sidecar.start();
      this.#connections.start();
      return bound;
    } catch (error) {
      await this.terminate();
      throw error;
    }
  }

  async #prepare({ host, port }: ListenAddress): Promise<SidecarProcess> {
    const { log, certificate, frames, streamsMax, keepAliveMs, idleTimeoutMs } = this.#options;
    const program = await prepareSidecarProgram(resolve(this.#options.directory));
    const directory = this.#makeSocketDirectory();
    const socketPath = join(directory, "quic.sock");
    this.#listener = Bun.listen<SocketData>({
      unix: socketPath,
      data: { connection: undefined, preamble: nothing },
      socket: this.#handlers(),
    });
    chmodSync(socketPath, 0o600);
    const sidecar = new SidecarProcess({
      program,
      cacheDirectory: join(directory, "cache"),
      certificate,
      log,
      start: {
        host,
        port,
        socketPath,
        frames,
        streamsMax: Math.min(streamsMax, streamsMaxCap),
        keepAliveMs: keepAliveMs || undefined,
        idleTimeoutMs: idleTimeoutMs || undefined,
      },
    });
    sidecar.load();
    return sidecar;
  }

  /** New connections get this certificate; open ones do not notice. */
  changeCertificate(pair: CertificatePair): void {
    this.#sidecar?.useCertificate(pair);
  }

  get connectionsCount(): number {
    return this.#connections.count;
  }

  /** No new connections; every open one is closed when its replies are out (spec SB 8.10). */
  stop(): void {
    this.#listener?.stop(false);
    this.#connections.disconnectAll();
  }

  /** Cuts what is still there and ends the sidecar. */
  async terminate(): Promise<void> {
    this.#listener?.stop(true);
    this.#connections.terminateAll();
    await this.#sidecar?.stop();
    if (this.#socketDirectory !== undefined) rmSync(this.#socketDirectory, { recursive: true, force: true });
  }

  /**
   * For nobody else's eyes. In the system's directory for temporary files where the path would be too long for a socket, or
   * the disk is full. Throws `SidecarUnavailableError` where there is no place at all.
   */
  #makeSocketDirectory(): string {
    const wanted = resolve(this.#options.directory);
    const isUsable = Buffer.byteLength(join(wanted, "quic.sock")) <= socketPathBytesMax && !wanted.includes(",");
    try {
      this.#socketDirectory = isUsable && makeDirectory(wanted) ? wanted : mkdtempSync(join(tmpdir(), "whippet-quic-"));
    } catch (cause) {
      throw new SidecarUnavailableError("there is no directory for its socket", { cause });
    }
    return this.#socketDirectory;
  }

  #handlers(): SocketHandler<SocketData> {
    return {
      // Each connection has its own data: the object given to listen is shared by all.
      open: (socket) => {
        socket.data = { connection: undefined, preamble: nothing };
      },
      data: (socket, bytes) => {
        try {
          this.#receive(socket, bytes);
        } catch (error) {
          this.#connections.giveUp(socket.data.connection?.pipeline, error);
        }
      },
      drain: (socket) => {
        const { connection } = socket.data;
        try {
          connection?.drained();
        } catch (error) {
          this.#connections.giveUp(connection?.pipeline, error);
        }
      },
      close: (socket) => socket.data.connection?.pipeline.closed(),
      error: (socket, error) => {
        const client = socket.data.connection?.pipeline.session.clientId;
        this.#options.log.debug("connection failed", { client, error });
      },
    };
  }

  #receive(socket: Socket<SocketData>, bytes: Uint8Array): void {
    const { data } = socket;
    if (data.connection !== undefined) {
      data.connection.pipeline.receive(bytes);
      return;
    }
    const missingBytes = preambleBytes - data.preamble.byteLength;
    data.preamble = Buffer.concat([data.preamble, bytes.subarray(0, missingBytes)]);
    if (data.preamble.byteLength < preambleBytes) return;
    const address = decodePreamble(data.preamble);
    this.#connections.makeRoomWithoutLogin(this.#options.withoutLoginMax, address);
    if (!this.#connections.admits(address)) {
      socket.terminate();
      return;
    }
    const connection = this.#connections.add(
      this.#connections.openSession(address),
      this.#options.frames,
      new KeptBacklog(),
      (options) => new TcpConnection(socket, { isPlain: true, onMove: undefined }, options),
    );
    data.connection = connection;
    const rest = bytes.subarray(missingBytes);
    if (rest.byteLength > 0) connection.pipeline.receive(rest);
  }
}

function makeDirectory(path: string): boolean {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    return true;
  } catch {
    return false; // there is another place
  }
}

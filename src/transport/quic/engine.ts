// The part of the sidecar's runtime (Deno 2.9.6) that the sidecar uses. Types only: the rest of the project is built for
// another runtime, and the two sets of global types do not go together.

export interface NetAddress {
  readonly hostname: string;
  readonly port: number;
}

export interface QuicOptions {
  readonly keepAliveInterval?: number;
  readonly maxIdleTimeout?: number;
  readonly maxConcurrentBidirectionalStreams?: number;
  readonly maxConcurrentUnidirectionalStreams?: number;
}

export interface QuicListenOptions extends QuicOptions {
  readonly cert: string;
  readonly key: string;
  readonly alpnProtocols: string[];
}

export interface QuicStream {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
}

export interface QuicConnection {
  readonly remoteAddr: NetAddress;
  readonly incomingBidirectionalStreams: ReadableStream<QuicStream>;
  /** Rejects when the connection ends in any way but an application close. */
  readonly closed: Promise<unknown>;
  close(info: { readonly closeCode: number; readonly reason: string }): void;
}

export interface QuicIncoming {
  accept(): Promise<QuicConnection>;
}

export interface QuicListener {
  incoming(): Promise<QuicIncoming>;
}

export interface QuicEndpoint {
  readonly addr: NetAddress;
  listen(options: QuicListenOptions): QuicListener;
  close(info: { readonly closeCode: number; readonly reason: string }): void;
}

export interface UnixConnection {
  /** Number of bytes, or null at the end. */
  read(bytes: Uint8Array): Promise<number | null>;
  /** Number of bytes taken. */
  write(bytes: Uint8Array): Promise<number>;
  close(): void;
}

export interface Engine {
  readonly QuicEndpoint: new (address: NetAddress) => QuicEndpoint;
  connect(options: { readonly transport: "unix"; readonly path: string }): Promise<UnixConnection>;
  readonly stdin: { readonly readable: ReadableStream<Uint8Array> };
  readonly stdout: { writeSync(bytes: Uint8Array): number };
  addSignalListener(signal: "SIGTERM", handler: () => void): void;
  exit(code: number): never;
}

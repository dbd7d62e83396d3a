import { bool, duration, size, text, u64 } from "./fields.ts";
import { section } from "./node.ts";
import { certificateFiles } from "./tls.ts";

export const quic = section(
  {
    enabled: bool({ default: true, doc: "Accept QUIC connections (on shard 0)." }),
    address: text({ default: "127.0.0.1:8080", doc: "Listener, IP:port, UDP. Port 0 lets the system choose." }),
    maxConcurrentBidiStreams: u64({
      default: 10_000,
      doc: "Streams that a peer may have open, at most 32 at a time; more wait. A request uses one.",
    }),
    datagramSendBufferSizeBytes: size({ default: "100 KB", inert: true, doc: "nothing is sent as a datagram." }),
    initialMtuBytes: size({
      default: "8 KB",
      inert: true,
      doc: "the engine begins with 1200 bytes and finds more itself.",
    }),
    sendWindowBytes: size({
      default: "100 KB",
      inert: true,
      doc: "the engine has 10 MB, and the peer's window counts.",
    }),
    receiveWindowBytes: size({ default: "100 KB", inert: true, doc: "the engine has 1.25 MB for each stream." }),
    keepAliveIntervalMicros: duration({ default: "5 s", doc: "0 turns keep-alive off." }),
    maxIdleTimeoutMicros: duration({ default: "10 s", doc: "0 keeps the library's 30 s." }),
    certificate: section({
      selfSigned: bool({ default: true, doc: "Always generate a certificate; the files are then ignored." }),
      ...certificateFiles,
    }),
    socket: section({
      overrideDefaults: bool({ default: false, inert: true, doc: "the engine opens its socket itself, as all below." }),
      recvBufferSizeBytes: size({ default: "64 KB", inert: true, doc: "SO_RCVBUF." }),
      sendBufferSizeBytes: size({ default: "64 KB", inert: true, doc: "SO_SNDBUF." }),
      keepalive: bool({ default: false, inert: true, doc: "SO_KEEPALIVE." }),
    }),
  },
  "QUIC",
);

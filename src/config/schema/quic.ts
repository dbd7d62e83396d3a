import { bool, duration, size, text, u64 } from "./fields.ts";
import { section } from "./node.ts";
import { certificateFiles } from "./tls.ts";

export const quic = section(
  {
    enabled: bool({ default: true, doc: "Accept QUIC connections (on shard 0)." }),
    address: text({ default: "127.0.0.1:8080", doc: "Listener, IP:port, UDP. Port 0 lets the system choose." }),
    maxConcurrentBidiStreams: u64({ default: 10_000, doc: "Streams that a peer may have open; a request uses one." }),
    datagramSendBufferSizeBytes: size({ default: "100 KB", doc: "Send buffer for datagrams." }),
    initialMtuBytes: size({ default: "8 KB", doc: "First guess of the packet size, cut down to 16 bits." }),
    sendWindowBytes: size({ default: "100 KB", doc: "Send window of a connection." }),
    receiveWindowBytes: size({ default: "100 KB", doc: "Receive window of a connection." }),
    keepAliveIntervalMicros: duration({ default: "5 s", doc: "0 turns keep-alive off." }),
    maxIdleTimeoutMicros: duration({ default: "10 s", doc: "0 keeps the library's 30 s." }),
    certificate: section({
      selfSigned: bool({ default: true, doc: "Always generate a certificate; the files are then ignored." }),
      ...certificateFiles,
    }),
    socket: section({
      overrideDefaults: bool({ default: false, doc: "The keys below apply only when this is true." }),
      recvBufferSizeBytes: size({ default: "64 KB", doc: "SO_RCVBUF." }),
      sendBufferSizeBytes: size({ default: "64 KB", doc: "SO_SNDBUF." }),
      keepalive: bool({ default: false, doc: "SO_KEEPALIVE." }),
    }),
  },
  "QUIC",
);

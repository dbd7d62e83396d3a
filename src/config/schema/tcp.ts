import { parseNetworks } from "../networks.ts";
import { bool, duration, oneOf, size, text, textList } from "./fields.ts";
import { RuleError, section } from "./node.ts";
import { tlsKeys } from "./tls.ts";

export const tcp = section(
  {
    enabled: bool({ default: true, doc: "Accept TCP connections." }),
    address: text({
      default: "127.0.0.1:8090",
      doc: "Listener, IP:port, of every shard. Port 0 lets the system choose.",
    }),
    socketMigration: bool({ default: true, doc: "Move a connection to the shard that owns its partition." }),
    ipv6: bool({ default: false, inert: true, doc: "the family follows the address." }),
    frames: oneOf({
      words: ["auto", "sdk", "page"],
      default: "auto",
      doc: "Request frames: sdk = length, code, payload; page = code, length, payload; auto = the first frame decides, as clients of 0.9 need.",
    }),
    maxRequestSizeBytes: size({
      default: "256 MiB",
      min: "80 MiB",
      max: "2 GiB",
      doc: "Largest send request; larger ones close the connection.",
    }),
    proxyProtocol: section({
      trusted: textList({
        default: [],
        doc: "Load balancers that begin each connection with a PROXY header (v1 or v2), as addresses or networks such as 10.0.0.0/8.",
        check(values) {
          if (parseNetworks(values) !== undefined) return;
          throw new RuleError("must hold addresses and networks such as 127.0.0.1 or 10.0.0.0/8");
        },
      }),
    }),
    tls: section(tlsKeys),
    socket: section({
      overrideDefaults: bool({ default: false, doc: "The keys below apply only when this is true." }),
      recvBufferSizeBytes: size({ default: "100 KB", doc: "SO_RCVBUF." }),
      sendBufferSizeBytes: size({ default: "100 KB", doc: "SO_SNDBUF." }),
      keepalive: bool({ default: false, doc: "SO_KEEPALIVE." }),
      nodelay: bool({ default: false, doc: "TCP_NODELAY." }),
      lingerMicros: duration({ default: "0 s", doc: "SO_LINGER." }),
    }),
  },
  "TCP, the transport of most SDKs",
);

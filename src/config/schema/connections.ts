import { duration, u32 } from "./fields.ts";
import { section } from "./node.ts";

export const connections = section(
  {
    max: u32({
      default: 0,
      doc: "Most clients of TCP, WebSocket and QUIC together; 0 = as many as descriptors allow.",
    }),
    maxPerAddress: u32({
      default: 0,
      doc: "Most clients of one IPv4 address or IPv6 /64 network; 0 = no limit. A proxy is one address.",
    }),
    maxWithoutLogin: u32({
      default: 0,
      doc: "Most clients that are not logged in: a new one takes the place of the oldest of an address with many; 0 = half.",
    }),
    maxWithoutLoginPerAddress: u32({ default: 0, doc: "The same for one address or network; 0 = no limit." }),
    maxQuicWithoutLogin: u32({
      default: 128,
      doc: "Most QUIC clients that are not logged in, each of which takes some 80 KB; 0 = no limit of their own.",
    }),
    maxHttp: u32({
      default: 0,
      doc: "Most HTTP connections: beyond it the most idle of the address that has most are closed; 0 = as descriptors allow.",
    }),
    maxHandshakes: u32({
      default: 0,
      doc: "The same for connections to the WebSocket port whose handshake is not done; 0 = as descriptors allow.",
    }),
    loginTimeoutMicros: duration({
      default: "0 s",
      doc: "A client that is not logged in after this time is closed; 0 = never, as some SDKs connect long before.",
    }),
    tlsHandshakeTimeoutMicros: duration({
      default: "10 s",
      nonZero: true,
      doc: "A TLS connection whose handshake takes longer is closed.",
    }),
  },
  "Limits of connections",
);

import { bool, optional, size, text, textList } from "./fields.ts";
import { section } from "./node.ts";
import { tlsKeys } from "./tls.ts";

/** Text that is no size counts as absent, as in the original, but with a warning (spec SB 1.4). */
const optionalSize = (doc: string, inert = false) =>
  optional(size({ default: "0 B", zeroWords: true, inert, doc }), { ignoreInvalid: true });

export const websocket = section(
  {
    enabled: bool({ default: true, doc: "Accept WebSocket connections." }),
    address: text({
      default: "127.0.0.1:8092",
      doc: "Listener, IP:port, of every shard. Port 0 lets the system choose.",
    }),
    allowedOrigins: textList({
      default: [],
      doc: 'Pages that browsers may connect from, besides the broker\'s own host: "https://example.com"; "*" allows any.',
    }),
    readBufferSizeBytes: optionalSize(
      "First size and step of a connection's receive buffer, which grows up to 64 MiB; 128 KiB when absent.",
    ),
    writeBufferSizeBytes: optionalSize("replies are sent as they come.", true),
    maxWriteBufferSizeBytes: optionalSize(
      "A connection that leaves more bytes unread than this is closed; 2 MiB when absent, 0 = no limit.",
    ),
    maxMessageSizeBytes: optionalSize("Largest message; 64 MiB when absent."),
    maxFrameSizeBytes: optionalSize("max_message_size limits a message in one frame too.", true),
    acceptUnmaskedFrames: bool({
      default: false,
      inert: true,
      doc: "frames without a mask are never accepted, as RFC 6455 demands.",
    }),
    tls: section(tlsKeys),
  },
  "WebSocket",
);

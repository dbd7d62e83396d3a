import { bool, optional, size, text } from "./fields.ts";
import { section } from "./node.ts";
import { tlsKeys } from "./tls.ts";

/** Text that is no size counts as absent, as in the original, but with a warning (spec SB 1.4). */
const optionalSize = (doc: string) => optional(size({ default: "0 B", zeroWords: true, doc }), { ignoreInvalid: true });

export const websocket = section(
  {
    enabled: bool({ default: true, doc: "Accept WebSocket connections." }),
    address: text({
      default: "127.0.0.1:8092",
      doc: "Listener, IP:port, of every shard. Port 0 lets the system choose.",
    }),
    readBufferSizeBytes: optionalSize("Read buffer of a connection; 128 KiB when absent."),
    writeBufferSizeBytes: optionalSize("Write buffer of a connection; 128 KiB when absent."),
    maxWriteBufferSizeBytes: optionalSize("Most bytes waiting to be written; unlimited when absent."),
    maxMessageSizeBytes: optionalSize("Largest message; 64 MiB when absent."),
    maxFrameSizeBytes: optionalSize("Largest frame; 16 MiB when absent."),
    acceptUnmaskedFrames: bool({ default: false, doc: "Accept client frames without a mask." }),
    tls: section(tlsKeys),
  },
  "WebSocket",
);

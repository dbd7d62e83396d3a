// TCP to a server that is taken to be able to do one thing less: so what a client does then can be measured on the same server.

import { type Transport, transports } from "../../src/client/index.bun.ts";
import { decode, encode } from "../../src/protocol/codec.ts";
import { ExtensionCode } from "../../src/protocol/extensions/codes.ts";
import { getFeaturesReplyCodec } from "../../src/protocol/extensions/get-features.ts";

/** `feature`: by its name in docs/protocol-extensions.md. */
export function withoutFeature(feature: string): Transport {
  const tcp = transports.find(({ name }) => name === "tcp");
  if (tcp === undefined) throw new Error("this runtime has no TCP");
  return {
    ...tcp,
    async open(address) {
      const connection = await tcp.open(address);
      const request = connection.request.bind(connection);
      connection.request = async (code, payload) => {
        const reply = await request(code, payload);
        if (code !== ExtensionCode.getFeatures) return reply;
        const { features, ...rest } = decode(getFeaturesReplyCodec, reply);
        return encode(getFeaturesReplyCodec, { ...rest, features: features.filter((name) => name !== feature) });
      };
      return connection;
    },
  };
}

// Client header, group entry and client details (spec BP 3.16, 4.2).
//
//   header  4      client id                    entry  0  4  stream id
//           4      user id; 2^32 - 1: none             4  4  topic id
//           1      transport                           8  4  group id
//           4 + n  address, `ip:port`
//           4      consumer groups count
//
// Details are the header and exactly `consumer groups count` entries; the count is written from the list.

import { type Codec, decodeItems, recordCodec } from "../codec.ts";
import { noUserId } from "../limits.ts";
import { longStringCodec, u32Codec } from "../primitives.ts";
import { type Transport, transportCodec } from "./enumerations.ts";

export type ClientHeader = {
  readonly clientId: number;
  /** undefined: not logged in. */
  readonly userId: number | undefined;
  readonly transport: Transport;
  /** `ip:port`, IPv6 as `[ip]:port`. */
  readonly address: string;
  readonly consumerGroupsCount: number;
};

export type ClientGroupEntry = { readonly streamId: number; readonly topicId: number; readonly groupId: number };

export type ClientDetails = ClientHeader & { readonly consumerGroups: readonly ClientGroupEntry[] };

const userIdCodec: Codec<number | undefined> = {
  encode: (writer, userId) => writer.u32(userId ?? noUserId),
  decode(reader) {
    const userId = reader.u32();
    return userId === noUserId ? undefined : userId;
  },
};

export const clientHeaderCodec = recordCodec<ClientHeader>({
  clientId: u32Codec,
  userId: userIdCodec,
  transport: transportCodec,
  address: longStringCodec,
  consumerGroupsCount: u32Codec,
});

const clientGroupEntryCodec = recordCodec<ClientGroupEntry>({
  streamId: u32Codec,
  topicId: u32Codec,
  groupId: u32Codec,
});

export const clientDetailsCodec: Codec<ClientDetails> = {
  encode(writer, details) {
    clientHeaderCodec.encode(writer, { ...details, consumerGroupsCount: details.consumerGroups.length });
    for (const entry of details.consumerGroups) clientGroupEntryCodec.encode(writer, entry);
  },
  decode(reader) {
    const header = clientHeaderCodec.decode(reader);
    return { ...header, consumerGroups: decodeItems(clientGroupEntryCodec, reader, header.consumerGroupsCount) };
  },
};

/**
 * The commands in Iggy's metadata log (spec SB 3.8). Each is the wire request; what the server added to it stands around:
 *
 *   create stream, topic, group, user   u32 assigned id, u32 length, request
 *   create personal access token        u32 length, hash (BLAKE3 in hex), u32 length, request
 *   everything else                     request
 *
 * Passwords in them are hashes, and the current password of a change is empty.
 */
import { ByteReader } from "../protocol/byte-reader.ts";
import { type Codec, decodeStrict } from "../protocol/codec.ts";
import { CommandCode } from "../protocol/codes.ts";
import { IggyError } from "../protocol/errors.ts";
import {
  type CreateConsumerGroupRequest,
  createConsumerGroupRequestCodec,
} from "../protocol/group/create-consumer-group.ts";
import {
  type DeleteConsumerGroupRequest,
  deleteConsumerGroupRequestCodec,
} from "../protocol/group/delete-consumer-group.ts";
import { type CreatePartitionsRequest, createPartitionsRequestCodec } from "../protocol/partition/create-partitions.ts";
import { type DeletePartitionsRequest, deletePartitionsRequestCodec } from "../protocol/partition/delete-partitions.ts";
import { longStringCodec } from "../protocol/primitives.ts";
import { type DeleteSegmentsRequest, deleteSegmentsRequestCodec } from "../protocol/segment/delete-segments.ts";
import { type CreateStreamRequest, createStreamRequestCodec } from "../protocol/stream/create-stream.ts";
import { type DeleteStreamRequest, deleteStreamRequestCodec } from "../protocol/stream/delete-stream.ts";
import { type PurgeStreamRequest, purgeStreamRequestCodec } from "../protocol/stream/purge-stream.ts";
import { type UpdateStreamRequest, updateStreamRequestCodec } from "../protocol/stream/update-stream.ts";
import {
  type CreatePersonalAccessTokenRequest,
  createPersonalAccessTokenRequestCodec,
} from "../protocol/token/create-personal-access-token.ts";
import {
  type DeletePersonalAccessTokenRequest,
  deletePersonalAccessTokenRequestCodec,
} from "../protocol/token/delete-personal-access-token.ts";
import { type CreateTopicRequest, createTopicRequestCodec } from "../protocol/topic/create-topic.ts";
import { type DeleteTopicRequest, deleteTopicRequestCodec } from "../protocol/topic/delete-topic.ts";
import { type PurgeTopicRequest, purgeTopicRequestCodec } from "../protocol/topic/purge-topic.ts";
import { type UpdateTopicRequest, updateTopicRequestCodec } from "../protocol/topic/update-topic.ts";
import { type ChangePasswordRequest, changePasswordRequestCodec } from "../protocol/user/change-password.ts";
import { type CreateUserRequest, createUserRequestCodec } from "../protocol/user/create-user.ts";
import { type DeleteUserRequest, deleteUserRequestCodec } from "../protocol/user/delete-user.ts";
import { type UpdatePermissionsRequest, updatePermissionsRequestCodec } from "../protocol/user/update-permissions.ts";
import { type UpdateUserRequest, updateUserRequestCodec } from "../protocol/user/update-user.ts";

/** A command that came with the id that the server had chosen. */
type WithId<Kind, Request> = { readonly kind: Kind; readonly id: number; readonly request: Request };
type Plain<Kind, Request> = { readonly kind: Kind; readonly request: Request };

export type IggyCommand =
  | WithId<"createStream", CreateStreamRequest>
  | Plain<"updateStream", UpdateStreamRequest>
  | Plain<"deleteStream", DeleteStreamRequest>
  | Plain<"purgeStream", PurgeStreamRequest>
  | WithId<"createTopic", CreateTopicRequest>
  | Plain<"updateTopic", UpdateTopicRequest>
  | Plain<"deleteTopic", DeleteTopicRequest>
  | Plain<"purgeTopic", PurgeTopicRequest>
  | Plain<"createPartitions", CreatePartitionsRequest>
  | Plain<"deletePartitions", DeletePartitionsRequest>
  | Plain<"deleteSegments", DeleteSegmentsRequest>
  | WithId<"createConsumerGroup", CreateConsumerGroupRequest>
  | Plain<"deleteConsumerGroup", DeleteConsumerGroupRequest>
  | WithId<"createUser", CreateUserRequest>
  | Plain<"updateUser", UpdateUserRequest>
  | Plain<"deleteUser", DeleteUserRequest>
  | Plain<"changePassword", ChangePasswordRequest>
  | Plain<"updatePermissions", UpdatePermissionsRequest>
  | {
      readonly kind: "createPersonalAccessToken";
      /** BLAKE3 in hex. */
      readonly tokenHash: string;
      readonly request: CreatePersonalAccessTokenRequest;
    }
  | Plain<"deletePersonalAccessToken", DeletePersonalAccessTokenRequest>;

/** The command in the clear bytes of an entry. Throws `IggyError` if they are malformed or the code is not one of a log. */
export function decodeIggyCommand(code: number, bytes: Uint8Array): IggyCommand {
  switch (code) {
    case CommandCode.createStream:
      return { kind: "createStream", ...withId(createStreamRequestCodec, bytes) };
    case CommandCode.updateStream:
      return { kind: "updateStream", request: decodeStrict(updateStreamRequestCodec, bytes) };
    case CommandCode.deleteStream:
      return { kind: "deleteStream", request: decodeStrict(deleteStreamRequestCodec, bytes) };
    case CommandCode.purgeStream:
      return { kind: "purgeStream", request: decodeStrict(purgeStreamRequestCodec, bytes) };
    case CommandCode.createTopic:
      return { kind: "createTopic", ...withId(createTopicRequestCodec, bytes) };
    case CommandCode.updateTopic:
      return { kind: "updateTopic", request: decodeStrict(updateTopicRequestCodec, bytes) };
    case CommandCode.deleteTopic:
      return { kind: "deleteTopic", request: decodeStrict(deleteTopicRequestCodec, bytes) };
    case CommandCode.purgeTopic:
      return { kind: "purgeTopic", request: decodeStrict(purgeTopicRequestCodec, bytes) };
    case CommandCode.createPartitions:
      return { kind: "createPartitions", request: decodeStrict(createPartitionsRequestCodec, bytes) };
    case CommandCode.deletePartitions:
      return { kind: "deletePartitions", request: decodeStrict(deletePartitionsRequestCodec, bytes) };
    case CommandCode.deleteSegments:
      return { kind: "deleteSegments", request: decodeStrict(deleteSegmentsRequestCodec, bytes) };
    case CommandCode.createConsumerGroup:
      return { kind: "createConsumerGroup", ...withId(createConsumerGroupRequestCodec, bytes) };
    case CommandCode.deleteConsumerGroup:
      return { kind: "deleteConsumerGroup", request: decodeStrict(deleteConsumerGroupRequestCodec, bytes) };
    case CommandCode.createUser:
      return { kind: "createUser", ...withId(createUserRequestCodec, bytes) };
    case CommandCode.updateUser:
      return { kind: "updateUser", request: decodeStrict(updateUserRequestCodec, bytes) };
    case CommandCode.deleteUser:
      return { kind: "deleteUser", request: decodeStrict(deleteUserRequestCodec, bytes) };
    case CommandCode.changePassword:
      return { kind: "changePassword", request: decodeStrict(changePasswordRequestCodec, bytes) };
    case CommandCode.updatePermissions:
      return { kind: "updatePermissions", request: decodeStrict(updatePermissionsRequestCodec, bytes) };
    case CommandCode.createPersonalAccessToken:
      return { kind: "createPersonalAccessToken", ...withHash(bytes) };
    case CommandCode.deletePersonalAccessToken:
      return { kind: "deletePersonalAccessToken", request: decodeStrict(deletePersonalAccessTokenRequestCodec, bytes) };
    default:
      throw new IggyError("InvalidCommand");
  }
}

function withId<Request>(codec: Codec<Request>, bytes: Uint8Array): { id: number; request: Request } {
  const reader = new ByteReader(bytes);
  return { id: reader.u32(), request: lastRequest(codec, reader) };
}

function withHash(bytes: Uint8Array): { tokenHash: string; request: CreatePersonalAccessTokenRequest } {
  const reader = new ByteReader(bytes);
  return {
    tokenHash: longStringCodec.decode(reader),
    request: lastRequest(createPersonalAccessTokenRequestCodec, reader),
  };
}

/** A request behind its length; nothing follows. */
function lastRequest<Request>(codec: Codec<Request>, reader: ByteReader): Request {
  const sizeBytes = reader.u32();
  if (sizeBytes !== reader.remaining) throw new IggyError("InvalidCommand");
  return decodeStrict(codec, reader.bytes(sizeBytes));
}

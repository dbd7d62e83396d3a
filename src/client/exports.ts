// What every door of the client exports (index.ts, index.bun.ts, index.node.ts), beside its own `connect`.

export type { UserStatus } from "../protocol/records/enumerations.ts";
export type {
  GlobalPermissions,
  Permissions,
  StreamPermissions,
  TopicPermissions,
} from "../protocol/records/permissions.ts";
export type { TokenEntry } from "../protocol/records/token-entry.ts";
export type { UserDetails } from "../protocol/records/user-header.ts";
export type { SnapshotOptions } from "../protocol/system/get-snapshot.ts";
export {
  type HeaderField,
  HeaderKindCode,
  headerString,
  type UserHeader,
  userHeadersCodec,
} from "../protocol/user-headers.ts";
export type { Client, ClientEvent, ServerFacts } from "./client.ts";
export type { ClientClock } from "./clock.ts";
export type { Features } from "./commands/basic.ts";
export type { Exchange, ExchangeOptions } from "./commands/command.ts";
export type {
  Commands,
  CreateUserOptions,
  OffsetOptions,
  PollOptions,
  SendOptions,
  TopicOptions,
  UpdateUserOptions,
  WaitOptions,
} from "./commands/commands.ts";
export type { Connect, ConnectOptions } from "./connect.ts";
export type { ClientTlsOptions, Connection } from "./connection/connection.ts";
export type { CredentialsSource } from "./connection/logins.ts";
export type { Transport, TransportAddress } from "./connection/transport.ts";
export {
  type ConnectionString,
  type Credentials,
  parseConnectionString,
  type TlsSettings,
  type TransportName,
} from "./connection-string.ts";
export type { Consumer } from "./consumer/consumer.ts";
export type { DeadLetter, DeadLetterTopic } from "./consumer/dead-letter.ts";
export type {
  CommitPolicy,
  ConsumerEvent,
  ConsumerOptions,
  ConsumerSettings,
  PartitionProgress,
  PartitionsListener,
  Position,
  ReaderOptions,
  StartPosition,
} from "./consumer/options.ts";
export type { Reader } from "./consumer/reader.ts";
export type { ErrorPolicy, Handler, RunOptions } from "./consumer/run.ts";
export {
  AuthenticationError,
  BackpressureError,
  ConnectionError,
  ConnectionLostError,
  type ErrorName,
  HandlerError,
  IggyError,
  SchemaError,
  SendError,
  type SendFailure,
} from "./errors.ts";
export { type IdentifierInput, identifierOf } from "./identifiers.ts";
export type { Instrumentation, Observe, Operation, Outcome } from "./observe/instrumentation.ts";
export type { Abortable, CloseOptions } from "./options.ts";
export { type ReadMessageId, readMessageId } from "./producer/message-ids.ts";
export type { ProducerOptions } from "./producer/options.ts";
export type { Producer } from "./producer/producer.ts";
export { aes256Gcm, type Encryption } from "./topic/encryption.ts";
export type { TopicSettings } from "./topic/ensure-topic.ts";
export { type Format, json, text } from "./topic/format.ts";
export type { HeadersInput, HeadersView, HeaderValue } from "./topic/headers.ts";
export type { Batch, Message, OutgoingMessage, SendReceipt } from "./topic/message.ts";
export type { Schema, SchemaIssue, SchemaResult } from "./topic/schema.ts";
export type { Topic } from "./topic/topic.ts";

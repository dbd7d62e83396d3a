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
export { ClientCommands, type OffsetOptions, type PollOptions, type SendOptions } from "./client-commands.ts";
export type { ClientClock } from "./clock.ts";
export type { ExchangeOptions } from "./command-sender.ts";
export type { Connect, ConnectOptions } from "./connect.ts";
export type { CredentialsSource } from "./connection/logins.ts";
export type { Transport, TransportAddress } from "./connection/transport.ts";
export type { ClientTlsOptions, Connection } from "./connection.ts";
export {
  type ConnectionString,
  type Credentials,
  parseConnectionString,
  type TlsSettings,
  type TransportName,
} from "./connection-string.ts";
export type { ConsumerCommands } from "./consumer/commands.ts";
export { Consumer, type ConsumerParts } from "./consumer/consumer.ts";
export type { DeadLetter, DeadLetterTopic } from "./consumer/dead-letter.ts";
export type {
  CommitPolicy,
  ConsumerEvent,
  ConsumerOptions,
  ConsumerSettings,
  PartitionProgress,
  PartitionsListener,
  StartPosition,
} from "./consumer/options.ts";
export { type Position, Reader, type ReaderOptions } from "./consumer/reader.ts";
export type { ErrorPolicy, Handler, RunOptions } from "./consumer/run.ts";
export { type ConsumerSession, type ConsumerTarget, sessionCommands } from "./consumer/session-commands.ts";
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
export { ExtensionCommands, type Features, type WaitOptions } from "./extension-commands.ts";
export { HttpClient, type HttpClientOptions, type HttpReply, pollPathOf, sendBodyOf } from "./http-client.ts";
export { type IdentifierInput, identifierOf } from "./identifiers.ts";
export { IggyClient, type IggyClientOptions, type ReconnectOptions } from "./iggy-client.ts";
export type { Instrumentation, Observe, Operation, Outcome } from "./observe/instrumentation.ts";
export type { Abortable, CloseOptions } from "./options.ts";
export { type ReadMessageId, readMessageId } from "./producer/message-ids.ts";
export type { ProducerOptions } from "./producer/options.ts";
export type { Producer } from "./producer/producer.ts";
export { writeRequestHead } from "./request-frame.ts";
export { TcpConnection, type TcpConnectionOptions } from "./tcp-connection.ts";
export { aes256Gcm, type Encryption } from "./topic/encryption.ts";
export { type Format, json, text } from "./topic/format.ts";
export type { HeadersInput, HeadersView, HeaderValue } from "./topic/headers.ts";
export type { Batch, Message, OutgoingMessage, SendReceipt } from "./topic/message.ts";
export type { Schema, SchemaIssue, SchemaResult } from "./topic/schema.ts";
export type { Topic, TopicSettings } from "./topic/topic.ts";
export type { TopicOptions } from "./topic-commands.ts";
export type { CreateUserOptions, UpdateUserOptions } from "./user-commands.ts";
export { WebSocketConnection, type WebSocketConnectionOptions } from "./websocket-connection.ts";

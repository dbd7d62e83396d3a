// The door of the client layer.

export {
  type HeaderField,
  HeaderKindCode,
  headerString,
  type UserHeader,
  userHeadersCodec,
} from "../protocol/user-headers.ts";
export {
  ClientCommands,
  type ExchangeOptions,
  type OffsetOptions,
  type PollOptions,
  type SendOptions,
  type TopicOptions,
} from "./client-commands.ts";
export type { ClientTlsOptions, Connection } from "./connection.ts";
export { ConnectionLostError } from "./connection-lost-error.ts";
export { HttpClient, type HttpClientOptions, type HttpReply, pollPathOf, sendBodyOf } from "./http-client.ts";
export { type IdentifierInput, identifierOf } from "./identifiers.ts";
export { IggyClient, type IggyClientOptions, type ReconnectOptions } from "./iggy-client.ts";
export { writeRequestHead } from "./request-frame.ts";
export { TcpConnection, type TcpConnectionOptions } from "./tcp-connection.ts";
export { WebSocketConnection, type WebSocketConnectionOptions } from "./websocket-connection.ts";

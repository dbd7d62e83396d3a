// What a topic's producers and consumers share: where it is, how its values are written, how they get a connection.

import type { Identifier } from "../../protocol/identifier.ts";
import type { ClientClock } from "../clock.ts";
import { getTopic } from "../commands/basic.ts";
import { nameOfPlace } from "../commands/naming.ts";
import type { Session, SessionEvent } from "../connection/session.ts";
import { type IdentifierInput, identifierOf } from "../identifiers.ts";
import type { Encryption } from "./encryption.ts";
import type { Format } from "./format.ts";

/** Opens connections like those of the client. */
export type OpenSession = (onEvent?: (event: SessionEvent) => void) => Session;

export class TopicContext<In, Out> {
  readonly stream: Identifier;
  readonly topic: Identifier;
  readonly format: Format<In, Out>;
  readonly encryption: Encryption | undefined;
  readonly openSession: OpenSession;
  /** What the server can do beyond Iggy 0.8. */
  readonly features: () => ReadonlySet<string>;
  readonly clock: ClientClock;

  constructor(
    stream: IdentifierInput,
    topic: IdentifierInput,
    format: Format<In, Out>,
    encryption: Encryption | undefined,
    openSession: OpenSession,
    features: () => ReadonlySet<string>,
    clock: ClientClock,
  ) {
    this.stream = identifierOf(stream);
    this.topic = identifierOf(topic);
    this.format = format;
    this.encryption = encryption;
    this.openSession = openSession;
    this.features = features;
    this.clock = clock;
  }

  /** `shop/orders`, for errors. */
  get name(): string {
    return nameOfPlace(this);
  }

  /** Payload and headers as they are stored. */
  async seal(payload: Uint8Array | Promise<Uint8Array>, headers: Uint8Array): Promise<[Uint8Array, Uint8Array]> {
    const clear = await payload;
    const { encryption } = this;
    if (encryption === undefined) return [clear, headers];
    const sealedHeaders = headers.length === 0 ? headers : encryption.encrypt(headers);
    return Promise.all([encryption.encrypt(clear), sealedHeaders]);
  }

  /** Undefined where there is no such topic. */
  async countPartitions(session: Session): Promise<number | undefined> {
    const details = await getTopic(session.exchange.bind(session), this);
    return details?.partitionsCount;
  }
}

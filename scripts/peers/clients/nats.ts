// nats.js (@nats-io/transport-node, @nats-io/jetstream) against NATS JetStream.

import {
  batchesUnderWay,
  batchMessages,
  drive,
  packageOf,
  pipelined,
  type Session,
  singlesUnderWay,
} from "./driver.ts";

// What is used of the packages.
type Connection = { close(): Promise<void> };
type TransportPackage = { connect(options: { readonly servers: string }): Promise<Connection> };
type Messages = AsyncIterable<unknown> & { stop(): void };
type JetStream = {
  publish(subject: string, payload: Uint8Array): Promise<unknown>;
  readonly consumers: {
    /** An ordered consumer, which acknowledges nothing. */
    get(stream: string): Promise<{
      consume(options: {
        readonly max_messages: number;
        readonly callback: () => void;
      }): Promise<Messages & { closed(): Promise<unknown> }>;
    }>;
  };
};
type Manager = {
  readonly streams: {
    add(stream: {
      readonly name: string;
      readonly subjects: readonly string[];
      readonly storage: "file";
    }): Promise<unknown>;
  };
};
type JetStreamPackage = {
  jetstream(connection: Connection): JetStream;
  jetstreamManager(connection: Connection): Promise<Manager>;
};

await drive(async ({ port, packages }): Promise<Session> => {
  const transport = await packageOf<TransportPackage>(packages, "@nats-io/transport-node");
  const { jetstream, jetstreamManager } = await packageOf<JetStreamPackage>(packages, "@nats-io/jetstream");
  const connection = await transport.connect({ servers: `127.0.0.1:${port}` });
  const [stream, manager] = [jetstream(connection), await jetstreamManager(connection)];
  return {
    async newTopic(topic) {
      await manager.streams.add({ name: topic, subjects: [topic], storage: "file" });
    },
    // The client has no batches: messages whose answers are awaited together, as many as the batches of others under way have.
    sendBatches: (topic, payload, goesOn) =>
      pipelined(batchesUnderWay * batchMessages, goesOn, () => stream.publish(topic, payload)),
    sendSingles: (topic, payload, goesOn) => pipelined(singlesUnderWay, goesOn, () => stream.publish(topic, payload)),
    async consume(topic, onMessage) {
      const consumer = await stream.consumers.get(topic);
      await new Promise<void>((resolve, reject) => {
        const callback = () => {
          if (!onMessage()) resolve();
        };
        consumer.consume({ max_messages: batchMessages, callback }).catch(reject);
      });
    },
    close: () => connection.close(),
  };
});

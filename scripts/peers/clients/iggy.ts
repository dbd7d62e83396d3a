// The Node SDK of the original, of its tag server-0.8.0, against the original.

import {
  batchesUnderWay,
  batchMessages,
  drive,
  packageOf,
  pipelined,
  type Session,
  singlesUnderWay,
} from "./driver.ts";

// What is used of the package.
type Message = { readonly payload: Buffer };
type Place = { readonly streamId: string; readonly topicId: string };
type Commands = {
  readonly stream: { create(stream: { readonly name: string }): Promise<unknown> };
  readonly topic: {
    create(topic: {
      readonly streamId: string;
      readonly name: string;
      readonly partitionCount: number;
      readonly compressionAlgorithm: number;
    }): Promise<unknown>;
  };
  readonly message: {
    send(send: Place & { readonly messages: readonly Message[]; readonly partition: unknown }): Promise<boolean>;
    poll(
      poll: Place & {
        readonly consumer: unknown;
        readonly partitionId: number;
        readonly pollingStrategy: unknown;
        readonly count: number;
        readonly autocommit: boolean;
      },
    ): Promise<{ readonly messages: readonly unknown[] }>;
  };
  destroy(): Promise<void>;
};
type SdkPackage = {
  readonly SingleClient: new (config: {
    readonly transport: "TCP";
    readonly options: { readonly host: string; readonly port: number };
    readonly credentials: { readonly username: string; readonly password: string };
  }) => Commands;
  readonly Consumer: { readonly Single: unknown };
  readonly Partitioning: { PartitionId(id: number): unknown };
  readonly PollingStrategy: { Offset(offset: bigint): unknown };
};

const stream = "peers";
const uncompressed = 1;

await drive(async ({ port, packages }): Promise<Session> => {
  const sdk = await packageOf<SdkPackage>(packages, "apache-iggy");
  const client = new sdk.SingleClient({
    transport: "TCP",
    options: { host: "127.0.0.1", port },
    credentials: { username: "iggy", password: "iggy" },
  });
  await client.stream.create({ name: stream });
  const partition = sdk.Partitioning.PartitionId(0);
  const send = (topic: string, messages: readonly Message[]) =>
    client.message.send({ streamId: stream, topicId: topic, messages, partition });
  return {
    async newTopic(topic) {
      const algorithm = { compressionAlgorithm: uncompressed };
      await client.topic.create({ streamId: stream, name: topic, partitionCount: 1, ...algorithm });
    },
    async sendBatches(topic, payload, goesOn) {
      const messages = Array.from({ length: batchMessages }, () => ({ payload: Buffer.from(payload.buffer) }));
      return (await pipelined(batchesUnderWay, goesOn, () => send(topic, messages))) * batchMessages;
    },
    sendSingles(topic, payload, goesOn) {
      const message = { payload: Buffer.from(payload.buffer) };
      return pipelined(singlesUnderWay, goesOn, () => send(topic, [message]));
    },
    async consume(topic, onMessage) {
      const place = { streamId: stream, topicId: topic, partitionId: 0, consumer: sdk.Consumer.Single };
      for (let offset = 0n; ; ) {
        const pollingStrategy = sdk.PollingStrategy.Offset(offset);
        const poll = { ...place, pollingStrategy, count: batchMessages, autocommit: false };
        const { messages } = await client.message.poll(poll);
        for (const _ of messages) if (!onMessage()) return;
        offset += BigInt(messages.length);
      }
    },
    close: () => client.destroy(),
  };
});

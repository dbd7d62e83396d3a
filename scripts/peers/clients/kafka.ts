// @platformatic/kafka against Kafka.

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
type Message = { readonly topic: string; readonly partition: number; readonly value: Buffer };
type Closing = { close(force?: boolean): Promise<void> };
type Base = {
  readonly clientId: string;
  readonly bootstrapBrokers: readonly string[];
  readonly retries: number;
  readonly retryDelay: number;
};
type SendStream = Closing & {
  write(message: Message): boolean;
  once(event: "drain" | "error", listener: (error: Error) => void): void;
};
type ReadStream = Closing & AsyncIterable<unknown>;
type KafkaPackage = {
  readonly Admin: new (
    options: Base,
  ) => Closing & {
    createTopics(options: {
      readonly topics: readonly string[];
      readonly partitions: number;
      readonly replicas: number;
    }): Promise<unknown>;
  };
  readonly Producer: new (
    options: Base & { readonly acks: number },
  ) => Closing & {
    send(options: { readonly messages: readonly Message[]; readonly acks: number }): Promise<unknown>;
    asStream(options: {
      readonly batchSize: number;
      readonly batchTime: number;
      readonly highWaterMark: number;
      readonly acks: number;
    }): SendStream;
  };
  readonly Consumer: new (
    options: Base & { readonly groupId: string },
  ) => Closing & {
    consume(options: { readonly topics: readonly string[]; readonly mode: "earliest" }): Promise<ReadStream>;
  };
};

/** From all replicas, of which there is one. */
const acks = -1;

await drive(async ({ port, packages }): Promise<Session> => {
  const { Admin, Producer, Consumer } = await packageOf<KafkaPackage>(packages, "@platformatic/kafka");
  // A broker that was just started says for a while that it is not the coordinator of a group, more often than the client tries.
  const patience = { retries: 60, retryDelay: 500 };
  const base: Base = { clientId: "peers", bootstrapBrokers: [`127.0.0.1:${port}`], ...patience };
  const [admin, producer] = [new Admin(base), new Producer({ ...base, acks })];
  const messageOf = (topic: string, payload: Uint8Array): Message => {
    return { topic, partition: 0, value: Buffer.from(payload.buffer) };
  };
  return {
    async newTopic(topic) {
      await admin.createTopics({ topics: [topic], partitions: 1, replicas: 1 });
    },
    async sendBatches(topic, payload, goesOn) {
      const message = messageOf(topic, payload);
      const batches = await pipelined(batchesUnderWay, goesOn, () =>
        producer.send({ messages: Array.from({ length: batchMessages }, () => message), acks }),
      );
      return batches * batchMessages;
    },
    // Single sends are requests of one record each; what gathers them is the client's stream.
    async sendSingles(topic, payload, goesOn) {
      const stream = producer.asStream({
        batchSize: batchMessages,
        batchTime: 1,
        highWaterMark: singlesUnderWay,
        acks,
      });
      const failed = new Promise<never>((_, reject) => stream.once("error", reject));
      let count = 0;
      for (; goesOn(); count++) {
        if (!stream.write(messageOf(topic, payload)))
          await Promise.race([failed, new Promise<unknown>((resolve) => stream.once("drain", resolve))]);
      }
      await Promise.race([failed, stream.close()]);
      return count;
    },
    async consume(topic, onMessage) {
      const consumer = new Consumer({ ...base, groupId: `group-${topic}` });
      const stream = await consumer.consume({ topics: [topic], mode: "earliest" });
      for await (const _ of stream) if (!onMessage()) break;
      await consumer.close(true);
    },
    async close() {
      await producer.close(true);
      await admin.close();
    },
  };
});

// @whippet/client against Whippet.

import type { Client } from "../../../src/client/index.ts";
import { drive, packageOf, type Session } from "./driver.ts";

type ClientPackage = { readonly connect: (url: string) => Promise<Client> };

function* messagesWhile(payload: Uint8Array, goesOn: () => boolean) {
  while (goesOn()) for (let index = 0; index < 1_000; index++) yield { value: payload };
}

await drive(async ({ port, packages }): Promise<Session> => {
  const { connect } = await packageOf<ClientPackage>(packages, "@whippet/client");
  const client = await connect(`iggy://iggy:iggy@127.0.0.1:${port}`);
  await client.createStream("peers");
  const topicOf = (topic: string) => client.topic("peers", topic);
  return {
    async newTopic(topic) {
      await client.createTopic("peers", { name: topic, partitionsCount: 1 });
    },
    async sendBatches(topic, payload, goesOn) {
      const producer = topicOf(topic).producer();
      const count = await producer.sendAll(messagesWhile(payload, goesOn));
      await producer.close();
      return count;
    },
    async sendSingles(topic, payload, goesOn) {
      const producer = topicOf(topic).producer();
      let count = 0;
      let failed: { readonly error: unknown } | undefined;
      for (; goesOn(); count++) {
        await producer.ready;
        producer.send({ value: payload }).catch((error: unknown) => {
          failed ??= { error };
        });
      }
      await producer.close();
      if (failed !== undefined) throw failed.error;
      return count;
    },
    async consume(topic, onMessage) {
      const consumer = topicOf(topic).consumer({ name: "reader" });
      await consumer.run(() => {
        if (!onMessage()) void consumer.close();
      });
    },
    close: async () => client.close(),
  };
});

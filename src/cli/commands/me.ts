// `whippet me`: this connection and its user.

import type { Client } from "../../client/index.bun.ts";
import type { ClientGroupEntry } from "../../protocol/records/client-header.ts";
import { clientDetailsDocument, transportText } from "../api/system.ts";
import { type Command, serverCommand } from "../command.ts";

const me = serverCommand({
  words: ["me"],
  summary: "Show this connection and its user",
  examples: ["me", "me --json"],
  async run(client, _, output) {
    const self = await client.getMe();
    const groups = await Promise.all(self.consumerGroups.map((group) => groupText(client, group)));
    const user = self.userId === undefined ? "nobody" : await userText(client, self.userId);
    const memberships = groups.length === 0 ? [] : [`member of ${groups.join(", ")}`];
    const facts = [`client ${self.clientId}`, user, transportText(self.transport), self.address, ...memberships];
    await output.show({
      document: clientDetailsDocument(self),
      shown: [facts.join("   ")],
      list: [[self.clientId, self.userId ?? "", self.address, transportText(self.transport)]],
    });
  },
});

/** Behind a token there is a user, too: who it is may be asked without a right. */
async function userText(client: Client, id: number): Promise<string> {
  const name = client.server.username ?? (await client.getUser(id))?.username;
  return name === undefined ? `user ${id}` : `${name} (id ${id})`;
}

/** `billing in orders/created`, with numbers where names may not be read. */
export async function groupText(client: Client, { streamId, topicId, groupId }: ClientGroupEntry): Promise<string> {
  const [topic, group, stream] = await Promise.allSettled([
    client.getTopic(streamId, topicId),
    client.getConsumerGroup(streamId, topicId, groupId),
    client.getStream(streamId),
  ]);
  const nameOf = (result: PromiseSettledResult<{ readonly name: string } | undefined>, id: number) =>
    (result.status === "fulfilled" ? result.value?.name : undefined) ?? String(id);
  return `${nameOf(group, groupId)} in ${nameOf(stream, streamId)}/${nameOf(topic, topicId)}`;
}

export const commands: readonly Command[] = [me];

// One client: who it is, the groups that it is a member of, and the way to cut its connection.
import { useState } from "preact/hooks";
import { type ClientDetails, type ConsoleBroker, disconnectClient, IggyError } from "../../client/console-client.ts";
import { newestMessages, writeAddress } from "../app/address.ts";
import { allClients } from "../app/admin-address.ts";
import { open } from "../app/location.ts";
import { useLoaded } from "../data/loaded.ts";
import { mayChange } from "../data/rights.ts";
import { done } from "../data/undo.ts";
import { userNames } from "../data/users.ts";
import { ActionDialog } from "../parts/action-dialog.tsx";
import { LoadedPart, Notice } from "../parts/notice.tsx";
import { PageHead } from "../parts/page-head.tsx";
import { clientsText as text } from "../words/clients.ts";
import { userOf } from "./clients.tsx";

type Membership = {
  readonly key: string;
  readonly group: string;
  /** Undefined, as the next: the user may not see it. */
  readonly address: string | undefined;
  readonly groupAddress: string | undefined;
  readonly topic: string;
};

type Found = {
  readonly client: ClientDetails;
  readonly user: string;
  readonly isOwn: boolean;
  readonly memberships: readonly Membership[];
};

/** Undefined where the user lacks the right for it. */
async function ifAllowed<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (IggyError.is(error, "Unauthorized")) return undefined;
    throw error;
  }
}

async function find(from: ConsoleBroker, clientId: number): Promise<{ readonly found: Found | undefined }> {
  const [client, own, names] = await Promise.all([from.getClient(clientId), from.getMe(), userNames(from)]);
  if (client === undefined) return { found: undefined };
  const memberships = await Promise.all(
    client.consumerGroups.map(async ({ streamId, topicId, groupId }): Promise<Membership> => {
      const [stream, topic, group] = await Promise.all([
        ifAllowed(from.getStream(streamId)),
        ifAllowed(from.getTopic(streamId, topicId)),
        ifAllowed(from.getConsumerGroup(streamId, topicId, groupId)),
      ]);
      const streamName = stream?.name ?? text.unseen("stream", streamId);
      const topicName = topic?.name ?? text.unseen("topic", topicId);
      return {
        key: `${streamId} ${topicId} ${groupId}`,
        group: group?.name ?? text.unseen("group", groupId),
        topic: `${streamName} / ${topicName}`,
        address: stream && topic && writeAddress(newestMessages(stream.name, topic.name)),
        groupAddress:
          stream &&
          topic &&
          group &&
          writeAddress({ kind: "group", stream: stream.name, topic: topic.name, group: group.name }),
      };
    }),
  );
  return { found: { client, user: userOf(client, names), isOwn: own.clientId === clientId, memberships } };
}

export function ClientPage({ clientId }: { readonly clientId: number }) {
  const [isAsking, setIsAsking] = useState(false);
  const loaded = useLoaded(`client ${clientId}`, "", (from) => find(from, clientId), { kinds: ["group", "user"] });
  const found = loaded.value?.found;
  return (
    <>
      <PageHead title={text.one(clientId)} steps={[{ name: text.title, address: writeAddress(allClients) }]}>
        {found === undefined || found.isOwn || !mayChange("disconnectClient") ? null : (
          <button type="button" onClick={() => setIsAsking(true)}>
            {text.disconnect}
          </button>
        )}
      </PageHead>
      <LoadedPart loaded={loaded}>
        {({ found: shown }) => (shown === undefined ? <Notice>{text.gone(clientId)}</Notice> : <Client {...shown} />)}
      </LoadedPart>
      {isAsking && found !== undefined ? (
        <ActionDialog
          title={text.disconnectTitle(clientId)}
          action={text.disconnectAction(clientId)}
          isDanger
          onSubmit={async () => {
            await disconnectClient(clientId);
            done(text.disconnected(clientId));
            open(allClients);
          }}
          onClose={() => setIsAsking(false)}
        >
          <p>{text.disconnectText(found.user, found.client.address)}</p>
        </ActionDialog>
      ) : null}
    </>
  );
}

function Client({ client: { address, transport }, user, isOwn, memberships }: Found) {
  return (
    <>
      {isOwn ? <Notice>{text.own}</Notice> : null}
      <dl>
        <dt>{text.columns.user}</dt>
        <dd>{user}</dd>
        <dt>{text.columns.address}</dt>
        <dd>{address}</dd>
        <dt>{text.columns.transport}</dt>
        <dd>{transport}</dd>
      </dl>
      <h2>{text.groupsTitle}</h2>
      {memberships.length === 0 ? (
        <p>{text.noGroups}</p>
      ) : (
        <table class="plain">
          <thead>
            <tr>
              <th scope="col">{text.group}</th>
              <th scope="col">{text.topic}</th>
            </tr>
          </thead>
          <tbody>
            {memberships.map(({ key, group, topic, address: topicAddress, groupAddress }) => (
              <tr key={key}>
                <td>{groupAddress === undefined ? group : <a href={groupAddress}>{group}</a>}</td>
                <td>{topicAddress === undefined ? topic : <a href={topicAddress}>{topic}</a>}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </>
  );
}

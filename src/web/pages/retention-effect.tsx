// What would go with the limits that are chosen, and when; that nothing does where the cleaner is off.
import type { TopicDetails } from "../../client/console-client.ts";
import { useLoaded } from "../data/loaded.ts";
import { lossBefore, lossPartitionsMax, serverDefault, unlimited } from "../data/retention.ts";
import { session } from "../data/session.ts";
import { ErrorNotice } from "../parts/notice.tsx";
import { manage } from "../words/manage.ts";
import { localTime } from "../words/numbers.ts";

const text = manage.retention;
const microsPerMilli = 1000n;

/** `expiry`, `limit`: as the broker takes them; undefined: what is written means nothing yet. */
export function RetentionEffect({
  streamId,
  topic,
  expiry,
  limit,
}: {
  readonly streamId: number;
  readonly topic: TopicDetails;
  readonly expiry: bigint | undefined;
  readonly limit: bigint | undefined;
}) {
  const { value } = session;
  const broker = value.kind === "signedIn" ? value.session.broker.retention : undefined;
  if (broker === undefined) return null;
  const cleaner = broker.cleanerInterval;
  return (
    <>
      <h2>{text.title}</h2>
      <p>{cleaner === null ? text.off : text.on(BigInt(cleaner))}</p>
      <ul>
        <Expired
          streamId={streamId}
          topic={topic}
          expiry={expiry === serverDefault ? BigInt(broker.messageExpiry) : expiry}
        />
        <Surplus topic={topic} limit={limit === serverDefault ? BigInt(broker.maxTopicSize) : limit} />
      </ul>
    </>
  );
}

function Expired({
  streamId,
  topic,
  expiry,
}: {
  readonly streamId: number;
  readonly topic: TopicDetails;
  readonly expiry: bigint | undefined;
}) {
  const isLimited = expiry !== undefined && expiry !== unlimited;
  const isCountable = topic.partitions.length <= lossPartitionsMax;
  const { value: loss, error } = useLoaded(`expired ${streamId} ${topic.id}`, String(expiry), async (from) => {
    if (!isLimited || !isCountable) return undefined;
    return await lossBefore(from, streamId, topic, BigInt(Date.now()) * microsPerMilli - expiry);
  });
  if (!isLimited) return null;
  if (!isCountable) return <li>{text.unknown}</li>;
  if (error !== undefined) return <ErrorNotice error={error} />;
  if (loss === undefined) return null;
  if (loss.oldestMicros === undefined) return <li>{text.empty}</li>;
  return (
    <>
      <li>{text.wouldGo(loss.expired, topic.messagesCount, expiry)}</li>
      <li>{text.first(localTime(loss.oldestMicros + expiry).slice(0, 16))}</li>
    </>
  );
}

function Surplus({ topic, limit }: { readonly topic: TopicDetails; readonly limit: bigint | undefined }) {
  if (limit === undefined || limit === unlimited) return null;
  const { sizeBytes } = topic;
  return <li>{sizeBytes > limit ? text.surplus(sizeBytes - limit) : text.fits(sizeBytes)}</li>;
}

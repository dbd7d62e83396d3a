// What would go with the limits that are chosen, and when; that nothing does where the cleaner is off.
import type { TopicDetails } from "../../client/console-client.ts";
import { useLoaded } from "../data/loaded.ts";
import { forecastPartitionsMax, foresee, serverDefault, unlimited } from "../data/retention.ts";
import { segmentsOf } from "../data/segments.ts";
import { session } from "../data/session.ts";
import { LoadedPart } from "../parts/notice.tsx";
import { manage } from "../words/manage.ts";
import { localTime } from "../words/numbers.ts";

const text = manage.retention;
const microsPerMilli = 1000n;

/** `expiry`, `limit`: as the broker takes them; undefined: what is written means nothing yet. */
export function RetentionEffect({
  stream,
  streamId,
  topic,
  expiry,
  limit,
}: {
  readonly stream: string;
  readonly streamId: number;
  readonly topic: TopicDetails;
  readonly expiry: bigint | undefined;
  readonly limit: bigint | undefined;
}) {
  const { value } = session;
  const isCountable = topic.partitions.length <= forecastPartitionsMax;
  const loaded = useLoaded(
    `segments ${stream} ${topic.id}`,
    "",
    async (from) => {
      // What is shown may be older than the last change of partitions or name.
      const now = isCountable ? await from.getTopic(streamId, topic.id) : undefined;
      return now === undefined ? [] : await segmentsOf(stream, now.name, partitionIds(now));
    },
    { kinds: ["topic"] },
  );
  const broker = value.kind === "signedIn" ? value.session.broker.retention : undefined;
  if (broker === undefined) return null;
  const expiryNow = expiry === serverDefault ? BigInt(broker.messageExpiry) : expiry;
  const limitNow = limit === serverDefault ? BigInt(broker.maxTopicSize) : limit;
  const cleaner = broker.cleanerInterval;
  return (
    <>
      <h2>{text.title}</h2>
      <p>{cleaner === null ? text.off : text.on(BigInt(cleaner))}</p>
      {expiryNow === undefined || limitNow === undefined ? null : !isCountable ? (
        <p>{text.unknown}</p>
      ) : (
        <LoadedPart loaded={loaded}>
          {(segments) => (
            <Effect segments={segments} topic={topic} expiry={expiryNow} limit={limitNow} isOn={cleaner !== null} />
          )}
        </LoadedPart>
      )}
    </>
  );
}

function partitionIds({ partitions }: TopicDetails): readonly number[] {
  return partitions.map(({ id }) => id);
}

function Effect({
  segments,
  topic: { sizeBytes },
  expiry,
  limit,
  isOn,
}: {
  readonly segments: Parameters<typeof foresee>[0];
  readonly topic: TopicDetails;
  readonly expiry: bigint;
  readonly limit: bigint;
  readonly isOn: boolean;
}) {
  if (expiry === unlimited && limit === unlimited) return <p>{text.nothing}</p>;
  const nowMicros = BigInt(Date.now()) * microsPerMilli;
  const { expired, surplus, nextMicros } = foresee(segments, { nowMicros, expiry, limit, sizeBytes });
  return (
    <ul>
      {expiry === unlimited ? null : (
        <>
          <li>{expired.segments === 0 ? text.noneExpired(expiry) : text.expired(expired, expiry, isOn)}</li>
          <li>{nextMicros === undefined ? text.noneSealed : text.next(localTime(nextMicros).slice(0, 16))}</li>
        </>
      )}
      {limit === unlimited ? null : (
        <li>{sizeBytes <= limit ? text.fits(sizeBytes) : text.surplus(sizeBytes - limit, surplus, isOn)}</li>
      )}
    </ul>
  );
}

// The messages of a topic: by offset, by time, from either end, page by page.
import { useState } from "preact/hooks";
import type { ConsoleBroker } from "../../client/console-client.ts";
import { directionFrom, type MessagesPage as MessagesAddress, type Position, writeAddress } from "../app/address.ts";
import { adjust, open } from "../app/location.ts";
import { type Loaded, reload, useLoaded } from "../data/loaded.ts";
import { pollOf } from "../data/polls.ts";
import { maySend, maySendSomewhere } from "../data/rights.ts";
import { type SeenTopic, seeTopic } from "../data/seen-topic.ts";
import { writePlaces } from "../messages/places.ts";
import { loadWindow, type MessageWindow, partitionsMax, type ShownMessage } from "../messages/window.ts";
import { Grid } from "../parts/grid.tsx";
import { later } from "../parts/later.tsx";
import { LoadedPart, Notice } from "../parts/notice.tsx";
import { TopicHead } from "../parts/topic-head.tsx";
import { words } from "../words/en.ts";
import { count } from "../words/numbers.ts";
import { LiveMessages } from "./live-messages.tsx";
import { messageColumns, messagePage } from "./message-columns.tsx";
import { MessageControls } from "./message-controls.tsx";
import { SearchForm } from "./search-form.tsx";

const SearchResults = later(() => import("./search-results.tsx").then((file) => file.SearchResults));
const DownloadForm = later(() => import("./download.tsx").then((file) => file.DownloadForm));
const text = words.messages;

type Found = {
  /** Undefined: there is no such topic. */
  readonly topic: SeenTopic | undefined;
  /** Undefined: there are too many partitions for one view. */
  readonly window: MessageWindow | undefined;
};

async function find(from: ConsoleBroker, page: MessagesAddress): Promise<Found> {
  const topic = await seeTopic(from, page.stream, page.topic);
  if (topic === undefined) return { topic, window: undefined };
  const ids = page.partitionId === undefined ? topic.partitions.map(({ id }) => id) : [page.partitionId];
  // What is searched is not loaded beforehand.
  if (ids.length > partitionsMax || isSearch(page)) return { topic, window: undefined };
  return { topic, window: await loadWindow(pollOf(from, page), ids, page.from, page.direction, page.count) };
}

export function MessagesPage({ page }: { readonly page: MessagesAddress }) {
  const { stream, topic } = page;
  const loaded = useLoaded(
    `${stream} ${topic} ${page.isLive} ${isSearch(page)}`,
    versionOf(page),
    (from) => find(from, page),
    {
      ofSession: true,
    },
  );
  const seen = loaded.value?.topic;
  return (
    <>
      <TopicHead stream={stream} topic={topic} tab="messages" details={seen?.details} />
      <MessageControls page={page} partitions={seen?.partitions.map(({ id }) => id) ?? []} />
      <SearchForm page={page} />
      {page.isLive ? (
        <LoadedPart loaded={loaded}>
          {({ topic: found, window }) => {
            if (found === undefined) return <Notice>{words.topicPage.missing(topic)}</Notice>;
            if (window === undefined) return <Notice>{text.tooMany(partitionsMax)}</Notice>;
            return <LiveMessages key={`${page.partitionId}`} page={page} first={window.messages} />;
          }}
        </LoadedPart>
      ) : page.q === "" ? (
        <Rows page={page} loaded={loaded} />
      ) : (
        <LoadedPart loaded={loaded}>
          {({ topic: found }) => {
            if (found === undefined) return <Notice>{words.topicPage.missing(topic)}</Notice>;
            const searched = found.partitions.filter(
              ({ id }) => page.partitionId === undefined || id === page.partitionId,
            );
            if (searched.length > partitionsMax) return <Notice>{text.tooMany(partitionsMax)}</Notice>;
            return (
              <SearchResults
                page={page}
                partitionIds={searched.map(({ id }) => id)}
                messagesCount={searched.reduce((sum, partition) => sum + partition.messagesCount, 0n)}
              />
            );
          }}
        </LoadedPart>
      )}
    </>
  );
}

/** Messages as they come are not searched. */
function isSearch({ q, isLive }: MessagesAddress): boolean {
  return q !== "" && !isLive;
}

/** What is loaded anew when it changes: not while a search goes on. */
function versionOf(page: MessagesAddress): string {
  return isSearch(page) ? "search" : writeAddress(page);
}

function Rows({ page, loaded }: { readonly page: MessagesAddress; readonly loaded: Loaded<Found> }) {
  const window = loaded.value?.window;
  const [isDownloading, setIsDownloading] = useState(false);
  return (
    <>
      <Paging page={page} window={window} isDownloading={isDownloading} onDownload={setIsDownloading} />
      {isDownloading ? <DownloadForm key={writeAddress(page)} page={page} messages={window?.messages ?? []} /> : null}
      <LoadedPart loaded={loaded}>
        {({ topic, window: found }) => {
          if (topic === undefined) return <Notice>{words.topicPage.missing(page.topic)}</Notice>;
          if (found === undefined) return <Notice>{text.tooMany(partitionsMax)}</Notice>;
          return (
            <>
              {found.gaps.map(({ partitionId, from, to }) => (
                <Notice key={partitionId}>{text.gone(count(partitionId), count(from), count(to))}</Notice>
              ))}
              {found.messages.length === 0 ? (
                <Notice>
                  {topic.details?.messagesCount === 0n ? text.none : text.noneHere}{" "}
                  {topic.details?.messagesCount === 0n && maySend(topic.details.id) ? (
                    <a href={writeAddress({ kind: "publish", stream: page.stream, topic: page.topic, from: "" })}>
                      {text.publishOne}
                    </a>
                  ) : null}
                </Notice>
              ) : (
                <Grid
                  key={keyOf(found.messages[0]!)}
                  label={text.grid}
                  columns={messageColumns}
                  rows={found.messages}
                  keyOf={keyOf}
                  addressOf={(message) => writeAddress(messagePage(page, message))}
                  onOpen={(message) => open(messagePage(page, message))}
                />
              )}
            </>
          );
        }}
      </LoadedPart>
    </>
  );
}

function Paging({
  page,
  window,
  isDownloading,
  onDownload,
}: {
  readonly page: MessagesAddress;
  readonly window: MessageWindow | undefined;
  readonly isDownloading: boolean;
  readonly onDownload: (isDownloading: boolean) => void;
}) {
  const go = (from: Position, direction = directionFrom(from)) => adjust({ ...page, from, direction });
  const older = window?.older;
  const newer = window?.newer;
  return (
    <div class="paging">
      <button type="button" aria-disabled={newer === undefined} onClick={() => newer && go(newer, "newer")}>
        {text.newer}
      </button>
      <button type="button" aria-disabled={older === undefined} onClick={() => older && go(older, "older")}>
        {text.older}
      </button>
      <button type="button" onClick={() => go({ kind: "newest" })}>
        {text.toNewest}
      </button>
      <button type="button" onClick={reload}>
        {words.load.reload}
      </button>
      <button type="button" aria-expanded={isDownloading} onClick={() => onDownload(!isDownloading)}>
        {text.download}
      </button>
      {!maySendSomewhere() || window === undefined || window.messages.length === 0 ? null : (
        <a
          href={writeAddress({ kind: "publish", stream: page.stream, topic: page.topic, from: placesOf(page, window) })}
        >
          {text.publishShown}
        </a>
      )}
    </div>
  );
}

/** The rows, in the order in which they were sent. */
function placesOf({ direction }: MessagesAddress, { messages }: MessageWindow): string {
  return writePlaces(direction === "newer" ? messages : messages.toReversed());
}

function keyOf({ partitionId, offset }: ShownMessage): string {
  return `${partitionId} ${offset}`;
}

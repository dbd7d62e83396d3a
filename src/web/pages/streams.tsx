// All streams that the user may see.
import type { StreamHeader } from "../../client/console-client.ts";
import { type ListPage, type Sort, sortDefault, writeAddress } from "../app/address.ts";
import { isCreatingStream } from "../app/dialogs.ts";
import { adjust, open } from "../app/location.ts";
import { useLoaded } from "../data/loaded.ts";
import { may, mayChange, ownTopics } from "../data/rights.ts";
import { session } from "../data/session.ts";
import { visibleStreams } from "../data/streams.ts";
import { Filter } from "../parts/filter.tsx";
import { type Column, Grid } from "../parts/grid.tsx";
import { later } from "../parts/later.tsx";
import { LoadedPart, Notice } from "../parts/notice.tsx";
import { PageHead } from "../parts/page-head.tsx";
import { words } from "../words/en.ts";
import { count, exactSize, localTime, size, utcTime } from "../words/numbers.ts";
import { narrowed, type SortValue } from "./narrowed.ts";

const OwnTopics = later(() => import("./own-topics.tsx").then((file) => file.OwnTopics));
const FirstSteps = later(() => import("./first-steps.tsx").then((file) => file.FirstSteps));
const CreateStream = later(() => import("./create-dialogs.tsx").then((file) => file.CreateStream));

const text = words.streamsPage;

const columns: readonly Column<StreamHeader>[] = [
  { id: "name", title: text.name, cell: ({ name }) => name },
  { id: "topics", title: text.topics, isNumber: true, cell: ({ topicsCount }) => count(topicsCount) },
  { id: "messages", title: text.messages, isNumber: true, cell: ({ messagesCount }) => count(messagesCount) },
  {
    id: "size",
    title: text.size,
    isNumber: true,
    hint: ({ sizeBytes }) => exactSize(sizeBytes),
    cell: ({ sizeBytes }) => size(sizeBytes),
  },
  {
    id: "created",
    title: text.created,
    hint: ({ createdAtMicros }) => utcTime(createdAtMicros),
    cell: ({ createdAtMicros }) => localTime(createdAtMicros).slice(0, 16),
  },
];

const sortValues: Readonly<Record<string, (stream: StreamHeader) => SortValue>> = {
  name: ({ name }) => name,
  topics: ({ topicsCount }) => topicsCount,
  messages: ({ messagesCount }) => messagesCount,
  size: ({ sizeBytes }) => sizeBytes,
  created: ({ createdAtMicros }) => createdAtMicros,
};

export function StreamsPage({ q, sort }: ListPage) {
  const { value } = session;
  const permissions = value.kind === "signedIn" ? value.session.permissions : null;
  const loaded = useLoaded("streams", "", (from) => visibleStreams(from, permissions), {
    kinds: ["stream", "topic", "user"],
  });
  const streams = loaded.value ?? [];
  const topicsCount = streams.reduce((sum, stream) => sum + stream.topicsCount, 0);
  const sizeBytes = streams.reduce((sum, stream) => sum + stream.sizeBytes, 0n);
  const isEmptyForUser = streams.length === 0 && ownTopics().length > 0;
  const summary =
    loaded.value === undefined || isEmptyForUser
      ? undefined
      : text.summary(streams.length, topicsCount, size(sizeBytes));
  const show = (change: { readonly q?: string; readonly sort?: Sort }) =>
    adjust({ kind: "streams", q, sort, ...change });
  return (
    <>
      <PageHead title={words.streams} summary={summary}>
        <Filter value={q} onChange={(next) => show({ q: next })} />
        {mayChange("createStream") ? (
          <button type="button" onClick={() => setCreating(true)}>
            {text.create}
          </button>
        ) : null}
      </PageHead>
      {isCreatingStream.value ? <CreateStream onClose={() => setCreating(false)} /> : null}
      <LoadedPart loaded={loaded}>
        {(all) => {
          const own = may("getStreams") ? [] : ownTopics().filter(({ streamId }) => !may("getStream", streamId));
          if (all.length === 0 && own.length > 0) return <OwnTopics rows={own} />;
          const rows = narrowed(all, q, sort, sortValues);
          if (all.length === 0) return <NoStreams isRoot={permissions?.global.readStreams === true} />;
          if (rows.length === 0) return <Notice>{text.noHit(q)}</Notice>;
          return (
            <>
              <Grid
                label={words.streams}
                columns={columns}
                rows={rows}
                keyOf={({ id }) => String(id)}
                addressOf={({ name }) => writeAddress(pageOf(name))}
                onOpen={({ name }) => open(pageOf(name))}
                sort={sort}
                onSort={(next) => show({ sort: next })}
              />
              {own.length === 0 ? null : (
                <>
                  <h2>{text.ownTopics}</h2>
                  <OwnTopics rows={own} />
                </>
              )}
            </>
          );
        }}
      </LoadedPart>
    </>
  );
}

function setCreating(isCreating: boolean): void {
  isCreatingStream.value = isCreating;
}

function pageOf(stream: string) {
  return { kind: "stream", stream, q: "", sort: sortDefault } as const;
}

function NoStreams({ isRoot }: { readonly isRoot: boolean }) {
  if (isRoot && mayChange("createStream")) return <FirstSteps />;
  return <Notice>{isRoot ? text.none : text.noneVisible}</Notice>;
}

// What a stream is, and what can be done to it.
import { sortDefault, writeAddress } from "../app/address.ts";
import { useLoaded } from "../data/loaded.ts";
import { LoadedPart, Notice } from "../parts/notice.tsx";
import { PageHead } from "../parts/page-head.tsx";
import { words } from "../words/en.ts";
import { manage as text } from "../words/manage.ts";
import { count, exactSize, localTime, size } from "../words/numbers.ts";
import { StreamActions } from "./stream-actions.tsx";

export function StreamSettingsPage({ stream }: { readonly stream: string }) {
  const loaded = useLoaded(`stream ${stream}`, "", async (from) => ({ found: await from.getStream(stream) }), {
    kinds: ["stream", "topic", "user"],
  });
  const steps = [
    { name: words.streams, address: "/ui/streams" },
    { name: stream, address: writeAddress({ kind: "stream", stream, q: "", sort: sortDefault }) },
  ];
  return (
    <>
      <PageHead title={text.settings} steps={steps} />
      <LoadedPart loaded={loaded}>
        {({ found }) =>
          found === undefined ? (
            <Notice>{words.streamPage.missing(stream)}</Notice>
          ) : (
            <>
              <dl>
                <dt>{text.id}</dt>
                <dd>{found.id}</dd>
                <dt>{text.createdAt}</dt>
                <dd>{localTime(found.createdAtMicros).slice(0, 19)}</dd>
                <dt>{text.topics}</dt>
                <dd>{count(found.topicsCount)}</dd>
                <dt>{text.messages}</dt>
                <dd>{count(found.messagesCount)}</dd>
                <dt>{text.size}</dt>
                <dd title={exactSize(found.sizeBytes)}>{size(found.sizeBytes)}</dd>
              </dl>
              <StreamActions stream={found} />
            </>
          )
        }
      </LoadedPart>
    </>
  );
}

// Publishing to a topic: a new message, one that is there already, or several.
import { type PublishPage as PublishAddress, writeAddress } from "../../app/address.ts";
import { useLoaded } from "../../data/loaded.ts";
import { loadPlaces, pollOf } from "../../data/polls.ts";
import { isReadOnly, maySendSomewhere } from "../../data/rights.ts";
import { seeTopic } from "../../data/seen-topic.ts";
import { session } from "../../data/session.ts";
import { readPlaces } from "../../messages/places.ts";
import { LoadedPart, Notice } from "../../parts/notice.tsx";
import { TopicHead } from "../../parts/topic-head.tsx";
import { words } from "../../words/en.ts";
import { publishWords as text } from "../../words/publish.ts";
import { Editor } from "./editor.tsx";
import { Several } from "./several.tsx";

export function PublishPage({ page }: { readonly page: PublishAddress }) {
  const { stream, topic, from } = page;
  const places = readPlaces(from);
  const key = writeAddress(page);
  const loaded = useLoaded(
    key,
    "",
    async (broker) => {
      const seen = await seeTopic(broker, stream, topic);
      const sources = seen === undefined ? [] : await loadPlaces(pollOf(broker, page), places ?? []);
      return { seen, sources };
    },
    { ofSession: from !== "" }, // what is written stays when a session ends, what was read does not
  );
  const wanted = (places ?? []).reduce((sum, { first, last }) => sum + Number(last - first) + 1, 0);
  // The form stays when a session ends: nobody has fewer rights by that.
  const mayNot = session.value.kind === "signedIn" && !maySendSomewhere();
  return (
    <>
      <TopicHead stream={stream} topic={topic} tab="publish" details={loaded.value?.seen?.details} />
      {mayNot ? <Notice>{isReadOnly() ? text.readOnly : text.mayNot}</Notice> : null}
      {places === undefined ? <Notice>{text.badFrom}</Notice> : null}
      {mayNot || places === undefined ? null : (
        <LoadedPart loaded={loaded}>
          {({ seen, sources }) => {
            if (seen === undefined) return <Notice>{words.topicPage.missing(topic)}</Notice>;
            const missing = wanted - sources.length;
            const [first] = sources;
            if (wanted > 0 && first === undefined) return <Notice>{text.noneLeft}</Notice>;
            return (
              <>
                {missing > 0 ? <Notice>{text.gone(missing, wanted)}</Notice> : null}
                {sources.length > 1 ? (
                  <Several key={key} page={page} sources={sources} />
                ) : (
                  <Editor key={key} page={page} source={first} />
                )}
              </>
            );
          }}
        </LoadedPart>
      )}
    </>
  );
}

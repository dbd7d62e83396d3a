// The groups that read one topic.
import { writeAddress } from "../../app/address.ts";
import { open } from "../../app/location.ts";
import { useGroups } from "../../data/lag.ts";
import { useLoaded } from "../../data/loaded.ts";
import { Grid } from "../../parts/grid.tsx";
import { LoadedPart, Notice } from "../../parts/notice.tsx";
import { TopicHead } from "../../parts/topic-head.tsx";
import { words } from "../../words/en.ts";
import { groupWords } from "../../words/groups.ts";
import { groupColumns, groupPage } from "./all-groups.tsx";

const text = groupWords.topic;
const rowsMax = 500;

/** What the head of a topic's page says. */
export function useTopic(stream: string, topic: string) {
  return useLoaded(`topic ${stream} ${topic}`, "", async (from) => ({ details: await from.getTopic(stream, topic) }), {
    kinds: ["topic", "group", "user"],
  });
}

export function TopicGroupsPage({ stream, topic }: { readonly stream: string; readonly topic: string }) {
  const found = useTopic(stream, topic);
  const loaded = useGroups({ sort: "lag", q: `${stream}/${topic}/`, limit: rowsMax });
  return (
    <>
      <TopicHead stream={stream} topic={topic} tab="topicGroups" details={found.value?.details} />
      <LoadedPart loaded={found}>
        {({ details }) =>
          details === undefined ? (
            <Notice>{words.topicPage.missing(topic)}</Notice>
          ) : (
            <LoadedPart loaded={loaded}>
              {({ items, at }) => {
                // The query looks for a text in the names, whatever the case.
                const rows = items.filter((row) => row.stream === stream && row.topic === topic);
                return rows.length === 0 ? (
                  <Notice>{text.none}</Notice>
                ) : (
                  <>
                    <Grid
                      label={text.grid}
                      columns={groupColumns(BigInt(at), false)}
                      rows={rows}
                      keyOf={({ id }) => String(id)}
                      addressOf={(row) => writeAddress(groupPage(row))}
                      onOpen={(row) => open(groupPage(row))}
                    />
                    <p class="muted">{groupWords.all.note}</p>
                  </>
                );
              }}
            </LoadedPart>
          )
        }
      </LoadedPart>
    </>
  );
}

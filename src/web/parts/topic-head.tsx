// The head of every page of a topic: where it is, what it comes to, and its tabs.
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import type { TopicHeader } from "../../client/console-client.ts";
import { newestMessages, type Page, sortDefault, writeAddress } from "../app/address.ts";
import { may, maySeeStream, maySend, ownTopics } from "../data/rights.ts";
import { words } from "../words/en.ts";
import { size } from "../words/numbers.ts";
import { later } from "./later.tsx";
import { PageHead, type Step } from "./page-head.tsx";

const TopicCharts = later(() => import("./topic-charts.tsx").then((file) => file.TopicCharts));

const text = words.topicPage;

/** In the order in which they stand. */
const tabs = {
  messages: newestMessages,
  partitions: (stream, topic) => ({ kind: "partitions", stream, topic, sort: "" }),
  topicGroups: (stream, topic) => ({ kind: "topicGroups", stream, topic }),
  offsets: (stream, topic) => ({ kind: "offsets", stream, topic, q: "" }),
  settings: (stream, topic) => ({ kind: "topicSettings", stream, topic }),
  publish: (stream, topic) => ({ kind: "publish", stream, topic, from: "" }),
} satisfies Readonly<Record<string, (stream: string, topic: string) => Page>>;

export type TopicTab = keyof typeof tabs;

/** Where a topic is. */
export function topicSteps(stream: string): readonly Step[] {
  return [
    { name: words.streams, address: "/ui/streams" },
    {
      name: stream,
      address: maySeeStream(stream) ? writeAddress({ kind: "stream", stream, q: "", sort: sortDefault }) : undefined,
    },
  ];
}

export function TopicHead({
  stream,
  topic,
  tab,
  details,
  children,
}: {
  readonly stream: string;
  readonly topic: string;
  readonly tab: TopicTab;
  /** What it comes to; undefined while that is not known. */
  readonly details: TopicHeader | undefined;
  readonly children?: ComponentChildren;
}) {
  // Who may only poll, or send, sees no details: there is a page for just that.
  const own = ownTopics().find((one) => one.stream === stream && one.topic === topic);
  const topicId = details?.id ?? own?.topicId;
  const isOffered = (name: TopicTab): boolean => {
    if (name === tab) return true;
    if (name === "publish") return topicId !== undefined && maySend(topicId);
    if (name === "messages") return own === undefined || may("pollMessages", own.streamId, own.topicId);
    return details !== undefined;
  };
  const summary = details && text.summary(details.partitionsCount, details.messagesCount, size(details.sizeBytes));
  return (
    <PageHead title={topic} summary={summary} steps={topicSteps(stream)}>
      <nav class="tabs" aria-label={text.tabs}>
        {(Object.keys(tabs) as TopicTab[]).filter(isOffered).map((name) => (
          <a key={name} href={writeAddress(tabs[name](stream, topic))} aria-current={name === tab ? "page" : undefined}>
            {text[name]}
          </a>
        ))}
      </nav>
      {details === undefined ? null : <TopicOverTime key={`${stream}/${topic}`} stream={stream} topic={topic} />}
      {children}
    </PageHead>
  );
}

/** Nothing is asked before somebody opens it. */
function TopicOverTime({ stream, topic }: { readonly stream: string; readonly topic: string }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <details
      class="over-time"
      onToggle={(event) => {
        if (event.target === event.currentTarget) setOpen(event.currentTarget.open);
      }}
    >
      <summary>{text.overTime}</summary>
      {isOpen ? <TopicCharts stream={stream} topic={topic} /> : null}
    </details>
  );
}

// Topics as a table.

import type { TopicHeader } from "../../protocol/records/topic-header.ts";
import type { Table } from "../output/table.ts";
import { expiryText, maxSizeText, numberText, sizeWords, timeText } from "../output/words.ts";

export function topicTable(topics: readonly TopicHeader[]): Table {
  return {
    columns: [
      { head: "ID", isRight: true },
      { head: "NAME" },
      { head: "PARTITIONS", isRight: true },
      { head: "MESSAGES", isRight: true },
      { head: "SIZE", isRight: true },
      { head: "KEPT" },
      { head: "MAX SIZE" },
      { head: "CREATED" },
    ],
    rows: topics.map((topic) => [
      String(topic.id),
      topic.name,
      numberText(topic.partitionsCount),
      numberText(topic.messagesCount),
      sizeWords(topic.sizeBytes),
      expiryText(topic.messageExpiryMicros),
      maxSizeText(topic.maxTopicSizeBytes),
      timeText(topic.createdAtMicros),
    ]),
  };
}

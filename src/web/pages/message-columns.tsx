// How a message is shown in a row, and the page that the row opens.
import type { MessagePage, MessagesPage } from "../app/address.ts";
import { previewOf } from "../messages/payload.ts";
import type { ShownMessage } from "../messages/window.ts";
import type { Column } from "../parts/grid.tsx";
import { words } from "../words/en.ts";
import { count, exactSize, localTime, size, utcTime } from "../words/numbers.ts";

const text = words.messages.columns;

export const messageColumns: readonly Column<ShownMessage>[] = [
  {
    id: "offset",
    title: text.offset,
    isNumber: true,
    hint: ({ offset }) => count(offset),
    cell: ({ offset }) => count(offset),
  },
  { id: "partition", title: text.partition, isNumber: true, cell: ({ partitionId }) => partitionId },
  {
    id: "time",
    title: text.time,
    hint: ({ timestampMicros }) => utcTime(timestampMicros),
    cell: ({ timestampMicros }) => localTime(timestampMicros),
  },
  {
    id: "size",
    title: text.size,
    isNumber: true,
    hint: ({ payload }) => exactSize(payload.length),
    cell: ({ payload }) => size(payload.length),
  },
  { id: "preview", title: text.preview, cell: ({ payload }) => <code>{previewOf(payload)}</code> },
];

export function messagePage(
  { stream, topic }: MessagesPage,
  { partitionId, offset }: Pick<ShownMessage, "partitionId" | "offset">,
): MessagePage {
  return { kind: "message", stream, topic, partitionId, offset, format: "auto", schema: "" };
}

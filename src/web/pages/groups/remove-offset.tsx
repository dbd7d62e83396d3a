// Removes one stored offset: of a group by moving it to the first message, of a consumer by the command that it has for that.
import { ConsoleError, moveOffsets } from "../../../client/console-client.ts";
import { Refusal } from "../../app/errors.ts";
import { broker } from "../../data/broker.ts";
import { reload } from "../../data/loaded.ts";
import { done } from "../../data/undo.ts";
import { ActionDialog } from "../../parts/action-dialog.tsx";
import { groupWords } from "../../words/groups.ts";
import { type OffsetRow, whoOf } from "./offset-row.ts";

const text = groupWords.offsets;

export function RemoveOffsetDialog({
  stream,
  topic,
  row,
  onClose,
}: {
  readonly stream: string;
  readonly topic: string;
  readonly row: OffsetRow;
  readonly onClose: () => void;
}) {
  const who = whoOf(row.consumer);
  const submit = async () => {
    await (row.consumer.kind === "group" ? moveGroup(stream, topic, row, null) : storeOffset(stream, topic, row, null));
    done(text.removed(who), async () => {
      await (row.consumer.kind === "group"
        ? moveGroup(stream, topic, row, row.stored)
        : storeOffset(stream, topic, row, row.stored));
      reload();
    });
  };
  return (
    <ActionDialog
      title={text.removeTitle(who, row.partition)}
      action={text.removeAction}
      isDanger
      onSubmit={submit}
      onClose={onClose}
    >
      <p>{text.removeNote}</p>
    </ActionDialog>
  );
}

/** `stored`: null takes it away. Refused where the group has members, who would commit it again. */
async function moveGroup(stream: string, topic: string, { consumer, partition }: OffsetRow, stored: bigint | null) {
  const next = stored === null ? null : String(stored + 1n);
  try {
    await moveOffsets({
      ...{ stream, topic, group: consumer.name ?? "", dryRun: false },
      to: { kind: "each", values: { [partition]: next } },
      // Taken back only where nothing was committed meanwhile.
      ...(stored === null ? {} : { expected: { [partition]: null } }),
    });
  } catch (error) {
    if (error instanceof ConsoleError && error.code === "group_has_members") throw new Refusal(text.groupBusy);
    if (error instanceof ConsoleError && error.code === "offsets_changed") throw new Refusal(groupWords.move.changed);
    throw error;
  }
}

async function storeOffset(stream: string, topic: string, { consumer, partition }: OffsetRow, stored: bigint | null) {
  const from = broker.value;
  if (from === undefined) return;
  const id = { kind: "numeric", value: consumer.id } as const;
  const place = { stream, topic, partitionId: partition, consumer: { kind: "consumer", id } as const };
  if (stored === null) {
    await from.deleteConsumerOffset(place);
    return;
  }
  if ((await from.getConsumerOffset(place)) !== undefined) throw new Refusal(groupWords.move.changed);
  await from.storeConsumerOffset({ ...place, offset: stored });
}

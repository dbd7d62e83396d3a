// Deletes a group, with what it has committed.
import type { GroupPlace } from "../../../client/console-client.ts";
import { open } from "../../app/location.ts";
import { broker } from "../../data/broker.ts";
import { done } from "../../data/undo.ts";
import { ActionDialog } from "../../parts/action-dialog.tsx";
import { groupWords } from "../../words/groups.ts";
import { counted } from "../../words/numbers.ts";

const text = groupWords.remove;

export function RemoveGroupDialog({
  place: { stream, topic, group },
  partitions,
  onClose,
}: {
  readonly place: GroupPlace;
  readonly partitions: number;
  readonly onClose: () => void;
}) {
  const submit = async () => {
    await broker.value?.deleteConsumerGroup(stream, topic, group);
    done(text.done(group));
    open({ kind: "topicGroups", stream, topic });
  };
  return (
    <ActionDialog
      title={text.title(group)}
      action={text.action(group)}
      isDanger
      typedName={group}
      onSubmit={submit}
      onClose={onClose}
    >
      <p>{text.loss(counted(partitions, "partition"))}</p>
    </ActionDialog>
  );
}

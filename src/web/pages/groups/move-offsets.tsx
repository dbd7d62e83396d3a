// Moves where a group goes on, with a preview of what that changes, and the way back.
import { useEffect, useState } from "preact/hooks";
import {
  ConsoleError,
  type GroupPlace,
  type MovedOffsets,
  type MoveOffsets,
  moveOffsets,
} from "../../../client/console-client.ts";
import { Refusal, writeErrorText } from "../../app/errors.ts";
import { done } from "../../data/undo.ts";
import { effectOf, type MoveForm, requestOf } from "../../groups/move.ts";
import { ActionDialog } from "../../parts/action-dialog.tsx";
import { Field } from "../../parts/field.tsx";
import { groupWords } from "../../words/groups.ts";
import { count, counted } from "../../words/numbers.ts";
import { memberText } from "../../words/verdicts.ts";

const text = groupWords.move;
const kinds = ["earliest", "latest", "offset", "time"] as const;
/** Whoever writes is not asked about at each letter. */
const previewMs = 250;

type Preview = { readonly key: string; readonly moved: MovedOffsets };

export function MoveOffsetsDialog({ place, onClose }: { readonly place: GroupPlace; readonly onClose: () => void }) {
  const [form, setForm] = useState<MoveForm>({ kind: "earliest", value: "", partitions: "all" });
  const [force, setForce] = useState(false);
  const [preview, setPreview] = useState<Preview | undefined>(undefined);
  const [problem, setProblem] = useState<string | undefined>(undefined);
  const request = requestOf(place, form);
  const key = JSON.stringify(request);
  useEffect(() => {
    setProblem(undefined);
    if (typeof request === "string") return;
    let isCurrent = true;
    const timer = setTimeout(() => {
      moveOffsets(request).then(
        (moved) => {
          if (isCurrent) setPreview({ key, moved });
        },
        (error: unknown) => {
          if (isCurrent) setProblem(writeErrorText(error));
        },
      );
    }, previewMs);
    return () => {
      isCurrent = false;
      clearTimeout(timer);
    };
  }, [key]);

  const current = preview?.key === key ? preview.moved : undefined;
  const said = typeof request === "string" && form.value !== "" ? problemText(request) : problem;
  const submit = async () => {
    if (typeof request === "string") throw new Refusal(problemText(request));
    if (current === undefined) throw new Refusal(text.needsPreview);
    if (current.members.length > 0 && !force) throw new Refusal(text.needsForce);
    // Members that commit meanwhile are what somebody has ticked to move over.
    const expected = force ? {} : { expected: nextOf(current, "from") };
    const moved = await moveOffsets({ ...request, dryRun: false, ...(force ? { force } : {}), ...expected });
    done(text.done(place.group), () => takeBack(place, moved, force));
  };
  const set = (change: Partial<MoveForm>) => setForm((before) => ({ ...before, ...change }));

  return (
    <ActionDialog title={text.title(place.group)} action={text.submit} onSubmit={submit} onClose={onClose}>
      <fieldset class="choices">
        <legend>{text.to}</legend>
        {kinds.map((kind) => (
          <label key={kind} class="tick">
            <input
              type="radio"
              name="kind"
              value={kind}
              checked={form.kind === kind}
              onChange={() => set({ kind, value: "" })}
            />
            <span>{text.kinds[kind]}</span>
          </label>
        ))}
      </fieldset>
      {form.kind === "offset" || form.kind === "time" ? (
        <Field label={form.kind === "offset" ? text.offset : text.time}>
          {(id) => (
            <input
              id={id}
              value={form.value}
              placeholder={form.kind === "offset" ? "0" : "2026-11-29T10:02"}
              autocomplete="off"
              spellcheck={false}
              aria-invalid={said !== undefined}
              aria-describedby="move-problem"
              onInput={({ currentTarget }) => set({ value: currentTarget.value })}
            />
          )}
        </Field>
      ) : null}
      <Field label={text.partitions}>
        {(id) => (
          <input
            id={id}
            value={form.partitions}
            placeholder={text.partitionsHint}
            autocomplete="off"
            spellcheck={false}
            aria-describedby="move-problem"
            onInput={({ currentTarget }) => set({ partitions: currentTarget.value })}
          />
        )}
      </Field>
      <p id="move-problem" class="problem" role="alert">
        {said ?? (request === "partitions" ? text.badPartitions : undefined)}
      </p>
      {current === undefined ? null : <PreviewPart moved={current} />}
      {current === undefined || current.members.length === 0 ? null : (
        <>
          <p class="notice">{text.members(current.members.map(memberText).join("; "))}</p>
          <label class="tick">
            <input type="checkbox" checked={force} onChange={({ currentTarget }) => setForce(currentTarget.checked)} />
            <span>{text.force}</span>
          </label>
        </>
      )}
    </ActionDialog>
  );
}

function PreviewPart({ moved }: { readonly moved: MovedOffsets }) {
  const rows = moved.changes.map((change) => ({ change, effect: effectOf(change) }));
  const total = (name: "again" | "skipped") => rows.reduce((sum, { effect }) => sum + effect[name], 0n);
  const [again, skipped] = [total("again"), total("skipped")];
  return (
    <section aria-label={text.preview}>
      <p role="status">
        {again === 0n && skipped === 0n
          ? text.nothing
          : text.total(counted(again, "message"), counted(skipped, "message"))}
      </p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keys (WCAG 2.1.1). */}
      <section class="scrolls tall" tabIndex={0} aria-label={text.partitions}>
        <table class="plain">
          <thead>
            <tr>
              <th scope="col">{groupWords.group.columns.partition}</th>
              <th scope="col">{text.before}</th>
              <th scope="col">{text.after}</th>
              <th scope="col">{text.effect}</th>
            </tr>
          </thead>
          <tbody>
            {rows.map(({ change, effect }) => (
              <tr key={change.partition}>
                <td>{count(change.partition)}</td>
                <td>{change.from === null ? text.start(count(effect.before)) : count(effect.before)}</td>
                <td>{change.to === null ? text.start(count(effect.after)) : count(effect.after)}</td>
                <td>{effectText(effect)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </section>
  );
}

function effectText({ again, skipped }: ReturnType<typeof effectOf>): string {
  if (again > 0n) return text.again(count(again));
  return skipped > 0n ? text.skipped(count(skipped)) : text.same;
}

function problemText(problem: Extract<ReturnType<typeof requestOf>, string>): string {
  const texts = { offset: text.badOffset, time: text.badTime, partitions: text.badPartitions };
  return texts[problem];
}

/** By partition, what came next before or comes next after a move. */
function nextOf({ changes }: MovedOffsets, side: "from" | "to"): NonNullable<MoveOffsets["expected"]> {
  return Object.fromEntries(changes.map((change) => [change.partition, change[side]]));
}

/** Not where a member has committed since. */
async function takeBack(place: GroupPlace, moved: MovedOffsets, force: boolean): Promise<void> {
  try {
    await moveOffsets({
      ...place,
      to: { kind: "each", values: nextOf(moved, "from") },
      dryRun: false,
      expected: nextOf(moved, "to"),
      ...(force ? { force } : {}),
    });
  } catch (error) {
    if (!(error instanceof ConsoleError)) throw error;
    if (error.code === "offsets_changed") throw new Refusal(text.changed);
    if (error.code === "group_has_members") throw new Refusal(text.membersCame);
    throw error;
  }
}

// Several messages that are sent again, in order: what they were, but for headers that are left out.
import { useState } from "preact/hooks";
import { encodeHeaders, headerString, type MessageToSend } from "../../../client/console-client.ts";
import type { PublishPage } from "../../app/address.ts";
import { keptHeaders } from "../../messages/draft.ts";
import { readHeaders } from "../../messages/headers.ts";
import { fieldText } from "../../messages/payload.ts";
import type { ShownMessage } from "../../messages/window.ts";
import { size } from "../../words/numbers.ts";
import { publishWords as text } from "../../words/publish.ts";
import { RunState, useRun } from "./run.tsx";
import { partitioningOf, type Target, TargetFields, targetText } from "./target.tsx";

export function Several({ page, sources }: { readonly page: PublishPage; readonly sources: readonly ShownMessage[] }) {
  const { stream, topic } = page;
  const [target, setTarget] = useState<Target>({ stream, topic, way: "balanced", value: "" });
  const [dropped, setDropped] = useState<ReadonlySet<string>>(new Set());
  const [hasOrigin, setHasOrigin] = useState(false);
  const [problem, setProblem] = useState<string | undefined>(undefined);
  const run = useRun();
  const headers = sources.map(({ userHeaders }) => readHeaders(userHeaders));
  const keys = [...new Set(headers.flatMap((list) => (list ?? []).map(({ key }) => fieldText(key))))];
  const bytes = sources.reduce((sum, { payload }) => sum + payload.length, 0);

  const messageAt = (index: number): MessageToSend => {
    const { payload, userHeaders, partitionId, offset } = sources[index]!;
    const own = headers[index];
    // What cannot be read goes as it is.
    if (own === undefined) return { payload, userHeaders };
    const kept = keptHeaders(own, new Set(hasOrigin ? [...dropped, text.originKey] : dropped));
    const origin = { key: headerString(text.originKey), value: headerString(originOf(page, partitionId, offset)) };
    return { payload, userHeaders: encodeHeaders(hasOrigin ? [...kept, origin] : kept) };
  };
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    if (run.state.kind === "running") return;
    const isWrong = partitioningOf(target) === undefined;
    setProblem(isWrong ? text.badPartition : undefined);
    if (!isWrong) run.start({ target, messageAt, count: sources.length, perSecond: undefined });
  };

  return (
    <form class="publish" onSubmit={submit}>
      <TargetFields target={target} onChange={setTarget} />
      {keys.length === 0 ? null : (
        <fieldset>
          <legend>{text.dropped}</legend>
          {keys.map((key) => (
            <label key={key} class="tick">
              <input
                type="checkbox"
                checked={dropped.has(key)}
                onChange={({ currentTarget }) => {
                  const next = new Set(dropped);
                  if (currentTarget.checked) next.add(key);
                  else next.delete(key);
                  setDropped(next);
                }}
              />
              <span>{key}</span>
            </label>
          ))}
        </fieldset>
      )}
      <OriginTick isSet={hasOrigin} onChange={setHasOrigin} />
      <p>{text.previewSeveral(sources.length, size(bytes), targetText(target))}</p>
      <p class="problem" role="alert">
        {problem}
      </p>
      <button type="submit" class="primary" aria-disabled={run.state.kind === "running"}>
        {text.submit(sources.length)}
      </button>
      <RunState run={run} />
    </form>
  );
}

/** Where a message came from, as a header says it. */
export function originOf({ stream, topic }: PublishPage, partitionId: number, offset: bigint): string {
  return `${stream}/${topic}/${partitionId}/${offset}`;
}

export function OriginTick({
  isSet,
  onChange,
}: {
  readonly isSet: boolean;
  readonly onChange: (isSet: boolean) => void;
}) {
  return (
    <>
      <label class="tick">
        <input type="checkbox" checked={isSet} onChange={({ currentTarget }) => onChange(currentTarget.checked)} />
        <span>{text.origin}</span>
      </label>
      <p class="muted">{text.newId}</p>
    </>
  );
}

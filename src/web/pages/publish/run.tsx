// The sending itself: how far it is, how to stop it, and what to do behind a message that was refused. Nothing is sent twice:
// where an answer was lost, whoever reads decides.
import { useEffect, useRef, useState } from "preact/hooks";
import { IggyError, type MessageToSend } from "../../../client/console-client.ts";
import { newestMessages, writeAddress } from "../../app/address.ts";
import { errorText } from "../../app/errors.ts";
import { broker } from "../../data/broker.ts";
import { sendInOrder } from "../../messages/send-run.ts";
import { Notice } from "../../parts/notice.tsx";
import { publishWords as text } from "../../words/publish.ts";
import { partitioningOf, type Target } from "./target.tsx";

export type Batch = {
  readonly target: Target;
  /** The message of a place, from 0 on. */
  readonly messageAt: (index: number) => MessageToSend;
  readonly count: number;
  readonly perSecond: number | undefined;
};

type State =
  | { readonly kind: "idle" }
  | { readonly kind: "running"; readonly sent: number; readonly batch: Batch }
  | { readonly kind: "stopped" | "done"; readonly sent: number; readonly batch: Batch }
  | { readonly kind: "failed"; readonly sent: number; readonly batch: Batch; readonly error: unknown };

export type Run = {
  readonly state: State;
  readonly start: (batch: Batch, from?: number) => void;
  readonly stop: () => void;
};

export function useRun(): Run {
  const [state, setState] = useState<State>({ kind: "idle" });
  const isStopped = useRef(false);
  useEffect(
    () => () => {
      isStopped.current = true; // who leaves the page sends no more
    },
    [],
  );
  const start = (batch: Batch, from = 0) => {
    const to = broker.peek();
    const partitioning = partitioningOf(batch.target);
    if (to === undefined || partitioning === undefined) return;
    const { stream, topic } = batch.target;
    isStopped.current = false;
    let sent = from;
    setState({ kind: "running", sent, batch });
    sendInOrder({
      send: (index) => to.sendMessages({ stream, topic, partitioning, messages: [batch.messageAt(index)] }),
      count: batch.count,
      start: from,
      perSecond: batch.perSecond,
      isStopped: () => isStopped.current,
      onSent: (count) => {
        sent = count;
        setState({ kind: "running", sent, batch });
      },
    }).then(
      (count) => setState({ kind: count < batch.count ? "stopped" : "done", sent: count, batch }),
      (error: unknown) => setState({ kind: "failed", sent, batch, error }),
    );
  };
  return {
    state,
    start,
    stop: () => {
      isStopped.current = true;
    },
  };
}

export function RunState({ run: { state, start, stop } }: { readonly run: Run }) {
  if (state.kind === "idle") return null;
  const { sent, batch } = state;
  if (state.kind === "running") {
    return (
      <Notice>
        <p role="status">{text.progress(sent, batch.count)}</p>
        <button type="button" onClick={stop}>
          {text.stop}
        </button>
      </Notice>
    );
  }
  const show = (
    <p>
      <a href={writeAddress(newestMessages(batch.target.stream, batch.target.topic))}>{text.show}</a>
    </p>
  );
  if (state.kind === "done") {
    return (
      <Notice>
        <p role="status">{text.done(sent)}</p>
        {show}
      </Notice>
    );
  }
  return (
    <div class={state.kind === "failed" ? "notice bad" : "notice"} role="alert">
      <p>{endText(state)}</p>
      <button type="button" onClick={() => start(batch, sent)}>
        {text.goOn}
      </button>{" "}
      {state.kind === "failed" && sent + 1 < batch.count ? (
        <button type="button" onClick={() => start(batch, sent + 1)}>
          {text.skip}
        </button>
      ) : null}
      {show}
    </div>
  );
}

function endText(state: Extract<State, { readonly kind: "stopped" | "done" | "failed" }>): string {
  const { sent, batch } = state;
  if (state.kind !== "failed") return text.stopped(sent, batch.count);
  if (IggyError.is(state.error, "Disconnected")) return text.unknown(sent, batch.count);
  return text.failed(sent, batch.count, errorText(state.error));
}

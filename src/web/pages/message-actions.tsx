// What can be done with a message that is shown: publish it again, take it along.
import { useState } from "preact/hooks";
import type { PolledMessage } from "../../client/console-client.ts";
import { type MessagePage, writeAddress } from "../app/address.ts";
import { copyText, downloadBytes } from "../app/clipboard.ts";
import { maySendSomewhere } from "../data/rights.ts";
import { type CopyKind, copyKinds, readCommand } from "../messages/copy-as.ts";
import { publishWords as text } from "../words/publish.ts";

export function MessageActions({ page, message }: { readonly page: MessagePage; readonly message: PolledMessage }) {
  const { stream, topic, partitionId, offset } = page;
  const [said, setSaid] = useState("");
  /** A command that is shown because it could not be copied. */
  const [shown, setShown] = useState("");
  const take = (copied: string, note: string) =>
    copyText(copied).then((isCopied) => {
      setSaid(isCopied ? note : "");
      setShown(isCopied ? "" : copied);
    });
  const again = writeAddress({ kind: "publish", stream, topic, from: `${partitionId}:${offset}` });
  const command = (kind: CopyKind) =>
    readCommand(kind, { origin: location.origin, stream, topic }, partitionId, offset, 1);
  return (
    <div class="paging">
      {!maySendSomewhere() ? null : <a href={again}>{text.again}</a>}
      <button type="button" onClick={() => void take(new TextDecoder().decode(message.payload), text.copied)}>
        {text.copyPayload}
      </button>
      {copyKinds.map((kind) => (
        <button key={kind} type="button" onClick={() => void take(command(kind), `${text.copied} ${text.copyNote}`)}>
          {`${text.copyAs} ${text.copyKinds[kind]}`}
        </button>
      ))}
      <button
        type="button"
        onClick={() =>
          downloadBytes(`${topic}-${partitionId}-${offset}`, "application/octet-stream", [message.payload])
        }
      >
        {text.downloadPayload}
      </button>
      <span role="status">{said}</span>
      {shown === "" ? null : <pre class="plain">{shown}</pre>}
    </div>
  );
}

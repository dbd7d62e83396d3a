// What somebody sees who opens the console of a broker without streams: commands that make one, and a way to do without them.
import { useState } from "preact/hooks";
import { newestMessages } from "../app/address.ts";
import { copyText } from "../app/clipboard.ts";
import { errorText } from "../app/errors.ts";
import { open } from "../app/location.ts";
import { broker } from "../data/broker.ts";
import { createSample, sampleStream, sampleTopic } from "../data/sample.ts";
import { copyKinds, createCommand } from "../messages/copy-as.ts";
import { Notice } from "../parts/notice.tsx";
import { words } from "../words/en.ts";
import { publishWords as text } from "../words/publish.ts";

export function FirstSteps() {
  const [isBusy, setIsBusy] = useState(false);
  const [problem, setProblem] = useState("");
  const [said, setSaid] = useState("");
  const create = () => {
    const to = broker.peek();
    if (to === undefined || isBusy) return;
    setIsBusy(true);
    setProblem("");
    createSample(to)
      .then(() => open(newestMessages(sampleStream, sampleTopic)))
      .catch((error: unknown) => setProblem(errorText(error)))
      .finally(() => setIsBusy(false));
  };
  return (
    <Notice>
      <p>{words.streamsPage.none}</p>
      <p>
        <button type="button" class="primary" aria-disabled={isBusy} onClick={create}>
          {text.sample}
        </button>
      </p>
      <p class="muted">{text.sampleNote}</p>
      <p class="problem" role="alert">
        {problem}
      </p>
      <h2>{text.commands}</h2>
      <p class="muted">{text.copyNote}</p>
      {copyKinds.map((kind) => {
        const command = createCommand(kind, location.origin);
        return (
          <section key={kind} aria-label={text.copyKinds[kind]}>
            <h3>{text.copyKinds[kind]}</h3>
            {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keys. */}
            <pre class="plain" tabIndex={0}>
              {command}
            </pre>
            <button
              type="button"
              onClick={() => void copyText(command).then((isCopied) => setSaid(isCopied ? text.copied : ""))}
            >
              {text.copyKindButton(text.copyKinds[kind])}
            </button>
          </section>
        );
      })}
      <p role="status">{said}</p>
    </Notice>
  );
}

// Personal access tokens of the own user. A new one is shown once: nobody, not even the broker, keeps its text.
import { useState } from "preact/hooks";
import type { TokenEntry } from "../../client/console-client.ts";
import { copyText } from "../app/clipboard.ts";
import { useLoaded } from "../data/loaded.ts";
import { isReadOnly } from "../data/rights.ts";
import { done } from "../data/undo.ts";
import { currentBroker } from "../data/writes.ts";
import { ActionDialog } from "../parts/action-dialog.tsx";
import { LoadedPart } from "../parts/notice.tsx";
import { localTime } from "../words/numbers.ts";
import { account as text } from "../words/users.ts";

const dayMicros = 86_400_000_000n;
const lifetimes = { day: dayMicros, month: 30n * dayMicros, year: 365n * dayMicros, never: 0n } as const;
type Lifetime = keyof typeof lifetimes;

function expiryText({ expiryAtMicros }: TokenEntry): string {
  if (expiryAtMicros === 0n) return text.never;
  const isOver = expiryAtMicros < BigInt(Date.now()) * 1000n;
  return isOver ? text.expired : localTime(expiryAtMicros).slice(0, 16);
}

export function Tokens() {
  const [isCreating, setIsCreating] = useState(false);
  const [deleting, setDeleting] = useState<string | undefined>(undefined);
  const [shown, setShown] = useState<string | undefined>(undefined);
  const loaded = useLoaded("tokens", "", (from) => from.getPersonalAccessTokens(), { ofSession: true });
  const mayWrite = !isReadOnly();
  return (
    <section aria-labelledby="tokens">
      <h2 id="tokens">{text.tokens}</h2>
      <p class="muted">{text.tokensNote}</p>
      {shown === undefined ? null : <NewToken token={shown} onHide={() => setShown(undefined)} />}
      <LoadedPart loaded={loaded}>
        {(all) =>
          all.length === 0 ? (
            <p>{text.noTokens}</p>
          ) : (
            <table class="plain">
              <thead>
                <tr>
                  <th scope="col">{text.token}</th>
                  <th scope="col">{text.expires}</th>
                  {mayWrite ? <td /> : null}
                </tr>
              </thead>
              <tbody>
                {all.map((token) => (
                  <tr key={token.name}>
                    <th scope="row">{token.name}</th>
                    <td>{expiryText(token)}</td>
                    {mayWrite ? (
                      <td>
                        <button type="button" onClick={() => setDeleting(token.name)}>
                          {text.delete(token.name)}
                        </button>
                      </td>
                    ) : null}
                  </tr>
                ))}
              </tbody>
            </table>
          )
        }
      </LoadedPart>
      {mayWrite ? (
        <button type="button" onClick={() => setIsCreating(true)}>
          {text.new}
        </button>
      ) : null}
      {isCreating ? <CreateToken onCreated={setShown} onClose={() => setIsCreating(false)} /> : null}
      {deleting === undefined ? null : (
        <ActionDialog
          title={text.delete(deleting)}
          action={text.delete(deleting)}
          isDanger
          onClose={() => setDeleting(undefined)}
          onSubmit={async () => {
            await currentBroker().deletePersonalAccessToken(deleting);
            done(text.deleted(deleting));
          }}
        >
          <p>{text.deleteNote}</p>
        </ActionDialog>
      )}
    </section>
  );
}

function NewToken({ token, onHide }: { readonly token: string; readonly onHide: () => void }) {
  const [said, setSaid] = useState("");
  return (
    <div class="notice">
      <p>{text.once}</p>
      <p>
        {text.tokenText}: <code>{token}</code>
      </p>
      <div class="buttons">
        <button
          type="button"
          class="primary"
          onClick={() => void copyText(token).then((isCopied) => setSaid(isCopied ? text.copied : ""))}
        >
          {text.copy}
        </button>
        <button type="button" onClick={onHide}>
          {text.hide}
        </button>
      </div>
      <p role="status">{said}</p>
    </div>
  );
}

function CreateToken({
  onCreated,
  onClose,
}: {
  readonly onCreated: (token: string) => void;
  readonly onClose: () => void;
}) {
  return (
    <ActionDialog
      title={text.newTitle}
      action={text.create}
      onClose={onClose}
      onSubmit={async (form) => {
        const lifetime = lifetimes[String(form.get("lifetime")) as Lifetime];
        onCreated(await currentBroker().createPersonalAccessToken(String(form.get("name")), lifetime));
      }}
    >
      <label>
        <span>{text.token}</span>
        <input name="name" autocomplete="off" spellcheck={false} required />
      </label>
      <label>
        <span>{text.lifetime}</span>
        <select name="lifetime">
          {(Object.keys(lifetimes) as Lifetime[]).map((name) => (
            <option key={name} value={name} selected={name === "month"}>
              {text.lifetimes[name]}
            </option>
          ))}
        </select>
      </label>
    </ActionDialog>
  );
}

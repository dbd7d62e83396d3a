// What is around every page: the bar above it, the pages beside it.
import type { ComponentChildren } from "preact";
import { writeAddress } from "../app/address.ts";
import { isFinderOpen, openFinder } from "../app/dialogs.ts";
import { page } from "../app/location.ts";
import { type Theme, theme, themes } from "../app/preferences.ts";
import { broker, connection } from "../data/broker.ts";
import { may, maySomewhere } from "../data/rights.ts";
import { hello, isOutdated, mayReadServer, session } from "../data/session.ts";
import { words } from "../words/en.ts";
import { Field } from "./field.tsx";
import { later } from "./later.tsx";
import { UndoBar } from "./undo-bar.tsx";

const Finder = later(() => import("./finder.tsx").then((file) => file.Finder));

export function Frame({ children }: { readonly children: ComponentChildren }) {
  return (
    <>
      <a class="skip" href="#main">
        {words.skip}
      </a>
      <TopBar />
      <div class="below">
        <Navigation />
        <main id="main" tabIndex={-1}>
          <Banner />
          {children}
        </main>
      </div>
      <UndoBar />
      {isFinderOpen.value && session.value.kind === "signedIn" ? <Finder /> : null}
    </>
  );
}

function TopBar() {
  const { value } = session;
  const signedIn = value.kind === "signedIn" ? value.session : undefined;
  const label = hello.value?.label ?? "";
  return (
    <header class="top">
      <a class="brand" href="/ui">
        {words.product}
      </a>
      {label === "" ? null : <span class="label">{label}</span>}
      {signedIn?.readOnly ? (
        <span class="badge" title={words.readOnlyTitle}>
          {words.readOnly}
        </span>
      ) : null}
      <span class="space" />
      <span class={`connection ${connection.value}`} role="status">
        {words.connection[connection.value]}
      </span>
      {signedIn === undefined ? null : (
        <button type="button" onClick={openFinder} aria-haspopup="dialog" aria-keyshortcuts="Control+K Meta+K">
          {words.find} <kbd>Ctrl K</kbd>
        </button>
      )}
      <Field label={words.theme.label} isInline>
        {(id) => (
          <select
            id={id}
            value={theme.value}
            onChange={(event) => {
              theme.value = event.currentTarget.value as Theme;
            }}
          >
            {themes.map((name) => (
              <option key={name} value={name}>
                {words.theme[name]}
              </option>
            ))}
          </select>
        )}
      </Field>
      {signedIn === undefined ? null : <a href="/ui/account">{signedIn.user.name}</a>}
    </header>
  );
}

function Navigation() {
  const { kind } = page.value;
  const isHomeOfOthers = kind === "home" && !mayReadServer();
  const isStreams = isHomeOfOthers || writeAddress(page.value).startsWith("/ui/streams");
  return (
    <nav class="pages" aria-label={words.navigation}>
      {mayReadServer() ? (
        <a href="/ui/overview" aria-current={kind === "overview" || kind === "home" ? "page" : undefined}>
          {words.overviewPage.title}
        </a>
      ) : null}
      <a href="/ui/streams" aria-current={isStreams ? "page" : undefined}>
        {words.streams}
      </a>
      {maySomewhere("consumerGroup") ? (
        <a href="/ui/groups" aria-current={kind === "groups" ? "page" : undefined}>
          {words.groups}
        </a>
      ) : null}
      {may("getClients") ? (
        <a href="/ui/clients" aria-current={kind === "clients" || kind === "client" ? "page" : undefined}>
          {words.clients}
        </a>
      ) : null}
      {may("getUsers") ? (
        <a href="/ui/users" aria-current={["users", "user", "newUser"].includes(kind) ? "page" : undefined}>
          {words.users}
        </a>
      ) : null}
      {may("getSnapshot") ? (
        <a href="/ui/log" aria-current={kind === "log" ? "page" : undefined}>
          {words.log}
        </a>
      ) : null}
      {mayReadServer() ? (
        <a href="/ui/server" aria-current={kind === "server" ? "page" : undefined}>
          {words.server}
        </a>
      ) : null}
      <a class="last" href="/ui/help" aria-current={kind === "help" ? "page" : undefined}>
        {words.help}
      </a>
    </nav>
  );
}

function Banner() {
  if (isOutdated.value) {
    return (
      <div class="notice" role="alert">
        <p>{words.banner.stale}</p>
        <button type="button" onClick={() => location.reload()}>
          {words.banner.reload}
        </button>
      </div>
    );
  }
  return connection.value === "reconnecting" && broker.value !== undefined ? (
    <div class="notice bad" role="alert">
      <p>{words.banner.lost}</p>
    </div>
  ) : null;
}

// The page of the address in its frame, and the sign-in over it while nobody is signed in.
import { Component, type ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { may } from "../data/rights.ts";
import { mayReadServer, session } from "../data/session.ts";
import { MessagePage } from "../pages/message.tsx";
import { MessagesPage } from "../pages/messages.tsx";
import { OverviewPage } from "../pages/overview.tsx";
import { StreamPage } from "../pages/stream.tsx";
import { StreamsPage } from "../pages/streams.tsx";
import { Frame } from "../parts/frame.tsx";
import { later } from "../parts/later.tsx";
import { Notice } from "../parts/notice.tsx";
import { PageHead } from "../parts/page-head.tsx";
import { SignInDialog } from "../parts/sign-in-dialog.tsx";
import { words } from "../words/en.ts";
import { sortDefault, writeAddress } from "./address.ts";
import { openAddress, page } from "./location.ts";
import { overview } from "./observe-address.ts";

const AccountPage = later(() => import("../pages/account.tsx").then((file) => file.AccountPage));
const ClientPage = later(() => import("../pages/client.tsx").then((file) => file.ClientPage));
const ClientsPage = later(() => import("../pages/clients.tsx").then((file) => file.ClientsPage));
const GroupPage = later(() => import("../pages/groups/group.tsx").then((file) => file.GroupPage));
const GroupsPage = later(() => import("../pages/groups/all-groups.tsx").then((file) => file.GroupsPage));
const LogPage = later(() => import("../pages/log.tsx").then((file) => file.LogPage));
const ServerPage = later(() => import("../pages/server.tsx").then((file) => file.ServerPage));
const HelpPage = later(() => import("../pages/help.tsx").then((file) => file.HelpPage));
const NewUserPage = later(() => import("../pages/new-user.tsx").then((file) => file.NewUserPage));
const OffsetsPage = later(() => import("../pages/groups/offsets.tsx").then((file) => file.OffsetsPage));
const PartitionPage = later(() => import("../pages/groups/partition.tsx").then((file) => file.PartitionPage));
const PartitionsPage = later(() => import("../pages/groups/partitions.tsx").then((file) => file.PartitionsPage));
const PublishPage = later(() => import("../pages/publish/publish.tsx").then((file) => file.PublishPage));
const StreamSettingsPage = later(() => import("../pages/stream-settings.tsx").then((file) => file.StreamSettingsPage));
const TopicGroupsPage = later(() => import("../pages/groups/topic-groups.tsx").then((file) => file.TopicGroupsPage));
const TopicSettingsPage = later(() => import("../pages/topic-settings.tsx").then((file) => file.TopicSettingsPage));
const UserPage = later(() => import("../pages/user.tsx").then((file) => file.UserPage));
const UsersPage = later(() => import("../pages/users.tsx").then((file) => file.UsersPage));

export function App() {
  const { value } = session;
  return (
    <>
      <Frame>
        <Boundary key={writeAddress(page.value).split("?")[0]}>
          {value.kind === "unknown" ? <Notice>{words.load.loading}</Notice> : <CurrentPage />}
        </Boundary>
      </Frame>
      {value.kind === "signedOut" ? <SignInDialog wasOver={value.wasOver} /> : null}
    </>
  );
}

function CurrentPage() {
  const current = page.value;
  switch (current.kind) {
    case "home":
      return mayReadServer() ? <OverviewPage range={overview.range} /> : <StreamsPage q="" sort={sortDefault} />;
    case "overview":
      return mayReadServer() ? (
        <OverviewPage range={current.range} />
      ) : (
        <MissingRight title={words.overviewPage.title} />
      );
    case "streams":
      return <StreamsPage q={current.q} sort={current.sort} />;
    case "stream":
      return <StreamPage stream={current.stream} q={current.q} sort={current.sort} />;
    case "messages":
      return <MessagesPage page={current} />;
    case "message":
      return <MessagePage page={current} />;
    case "publish":
      return <PublishPage page={current} />;
    case "account":
      return <AccountPage />;
    case "streamSettings":
      return <StreamSettingsPage stream={current.stream} />;
    case "topicSettings":
      return <TopicSettingsPage stream={current.stream} topic={current.topic} />;
    case "users":
      return may("getUsers") ? <UsersPage q={current.q} /> : <MissingRight title={words.users} right="users" />;
    case "newUser":
      return <NewUserPage page={current} />;
    case "user":
      return may("getUser") ? <UserPage name={current.name} /> : <MissingRight title={words.users} right="users" />;
    case "clients":
      return may("getClients") ? <ClientsPage page={current} /> : <MissingRight title={words.clients} />;
    case "client":
      return may("getClient") ? <ClientPage clientId={current.clientId} /> : <MissingRight title={words.clients} />;
    case "log":
      return may("getSnapshot") ? <LogPage page={current} /> : <MissingRight title={words.log} />;
    case "groups":
      return <GroupsPage page={current} />;
    case "topicGroups":
      return <TopicGroupsPage stream={current.stream} topic={current.topic} />;
    case "group":
      return <GroupPage page={current} />;
    case "offsets":
      return <OffsetsPage page={current} />;
    case "partitions":
      return <PartitionsPage page={current} />;
    case "partition":
      return <PartitionPage page={current} />;
    case "server":
      return may("getStats") ? <ServerPage page={current} /> : <MissingRight title={words.server} />;
    case "help":
      return <HelpPage />;
    case "signIn":
      return <GoOn to={current.next} />;
    default:
      return <UnknownPage />;
  }
}

/** Goes on to where somebody wanted to be, once there is a session. */
function GoOn({ to }: { readonly to: string }) {
  const isSignedIn = session.value.kind === "signedIn";
  useEffect(() => {
    if (isSignedIn) openAddress(to);
  }, [isSignedIn, to]);
  return <PageHead title={words.signIn.title} />;
}

function MissingRight({ title, right = "servers" }: { readonly title: string; readonly right?: "servers" | "users" }) {
  return (
    <>
      <PageHead title={title} />
      <p>{words.missingRight(right)}</p>
    </>
  );
}

function UnknownPage() {
  return (
    <>
      <PageHead title={words.unknown.title} />
      <p>{words.unknown.text}</p>
      <p>
        <a href="/ui/streams">{words.unknown.next}</a>
      </p>
    </>
  );
}

/** A page that fails takes nothing else with it. */
class Boundary extends Component<{ readonly children: ComponentChildren }, { readonly error: unknown }> {
  override state = { error: undefined as unknown };

  override componentDidCatch(error: unknown): void {
    this.setState({ error });
  }

  override render() {
    const { error } = this.state;
    if (error === undefined) return this.props.children;
    return (
      <>
        <PageHead title={words.crash.title} />
        <p>{words.crash.text}</p>
        <button type="button" onClick={() => location.reload()}>
          {words.banner.reload}
        </button>
        <h2>{words.crash.copy}</h2>
        <pre class="plain">{error instanceof Error ? (error.stack ?? error.message) : String(error)}</pre>
      </>
    );
  }
}

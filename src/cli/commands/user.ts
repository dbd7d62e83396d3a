// `whippet user …`

import type { Identifier } from "../../protocol/identifier.ts";
import type { UserHeader } from "../../protocol/records/user-header.ts";
import { type Command, serverCommand } from "../command.ts";
import { found, named } from "../missing.ts";
import { timeText } from "../output/words.ts";
import { listMode, oneOf, option, optional, optionOr, repeated, required } from "../parameters.ts";
import {
  globalPermissions,
  permissionsDocument,
  permissionsOf,
  permissionsText,
  streamPermissions,
} from "../permissions.ts";
import type { Session } from "../session.ts";
import { nonEmpty, text } from "../values.ts";
import { user } from "./places.ts";

const statuses = ["active", "inactive"] as const;
const passwordLength = "3 to 100 characters";

const permissionOptions = {
  global: option("-g, --global-permissions <NAMES>", globalPermissions, "Everywhere: m_str,p_msg …"),
  streams: repeated(
    "-s, --stream-permissions <RULE>",
    streamPermissions,
    "In a stream and its topics, by number: STREAM[:NAMES][#TOPIC[:NAMES]] …",
  ),
} as const;

const permissionDetails = [
  "Everywhere: manage_servers m_srv, read_servers r_srv, manage_users m_usr, read_users r_usr, manage_streams m_str,",
  "read_streams r_str, manage_topics m_top, read_topics r_top, poll_messages p_msg, send_messages s_msg.",
  "In a stream: manage_stream m_str, read_stream r_str, manage_topics m_top, read_topics r_top, p_msg, s_msg.",
  "In a topic: manage_topic m_top, read_topic r_top, p_msg, s_msg.",
].join("\n");

const manage = () => ({ what: "manage users", names: ["manage_users"] });
const read = () => ({ what: "read users", names: ["read_users", "manage_users"] });

function userDocument(entry: UserHeader) {
  return { id: entry.id, created_at: entry.createdAtMicros, status: entry.status, username: entry.username };
}

/** What was given, or is typed. */
async function passwordOr(session: Session, given: string | undefined, question: string): Promise<string> {
  return given ?? (await session.questions.password(question));
}

const create = serverCommand({
  words: ["user", "create"],
  alias: "c",
  summary: "Make a user",
  details: `A password that is not given is asked for; ps shows the one that is.\n${permissionDetails}`,
  examples: [
    "user create ann --global-permissions r_str,p_msg",
    "user create sender -s 3#1:s_msg#2:s_msg",
    "user create guest -u inactive",
  ],
  arguments: {
    username: required(nonEmpty, "What the user is called (3 to 50 characters)"),
    password: optional(text, `Password (${passwordLength}); better asked for`),
  },
  options: {
    status: optionOr("-u, --user-status <STATUS>", oneOf(statuses), "active", "active or inactive (active)", {
      choices: statuses,
    }),
    ...permissionOptions,
  },
  right: manage,
  async run(client, args, output, session) {
    const permissions = permissionsOf(args.global, args.streams);
    const made = await client.createUser({
      username: args.username,
      password: await passwordOr(session, args.password, `Password (${passwordLength}): `),
      status: args.status,
      ...(permissions === undefined ? {} : { permissions }),
    });
    const text = `Created user ${made.username} (id ${made.id}): ${args.status}, ${permissionsText(permissions)}.`;
    await output.made(text, { ...userDocument(made), permissions: permissionsDocument(made.permissions) });
  },
});

const remove = serverCommand({
  words: ["user", "delete"],
  alias: "d",
  summary: "Delete a user",
  examples: ["user delete ann", "user delete 2"],
  arguments: { user },
  right: manage,
  async run(client, args, output) {
    await client.deleteUser(args.user);
    await output.say(`Deleted user ${named(args.user)}.`);
  },
});

const get = serverCommand({
  words: ["user", "get"],
  alias: "g",
  summary: "Show a user with the permissions",
  examples: ["user get ann", "user get 2 --json"],
  arguments: { user },
  right: read,
  async run(client, args, output) {
    const details = found(await client.getUser(args.user));
    const facts = [
      `${details.username} (id ${details.id})`,
      details.status,
      permissionsText(details.permissions),
      `created ${timeText(details.createdAtMicros)}`,
    ];
    const document = { ...userDocument(details), permissions: permissionsDocument(details.permissions) };
    await output.show({ document, shown: [facts.join("   ")] });
  },
});

const list = serverCommand({
  words: ["user", "list"],
  alias: "l",
  summary: "List all users",
  examples: ["user list", "user list -l list"],
  options: { listMode },
  right: read,
  async run(client, args, output) {
    const users = await client.getUsers();
    await output.as(args.listMode).show({
      document: users.map(userDocument),
      shown: [
        {
          columns: [{ head: "ID", isRight: true }, { head: "NAME" }, { head: "STATUS" }, { head: "CREATED" }],
          rows: users.map((entry) => [String(entry.id), entry.username, entry.status, timeText(entry.createdAtMicros)]),
        },
      ],
      list: users.map((entry) => [entry.id, timeText(entry.createdAtMicros), entry.status, entry.username]),
    });
  },
});

const name = serverCommand({
  words: ["user", "name"],
  alias: "n",
  summary: "Give a user another name",
  examples: ["user name ann anna", "user name 2 anna"],
  arguments: { user, username: required(nonEmpty, "What the user is called from now on (3 to 50 characters)") },
  right: manage,
  async run(client, args, output) {
    await client.updateUser(args.user, { username: args.username });
    await output.say(`User ${named(args.user)} is now called ${args.username}.`);
  },
});

const status = serverCommand({
  words: ["user", "status"],
  alias: "s",
  summary: "Let a user log in, or not",
  examples: ["user status ann inactive", "user status 2 active"],
  arguments: { user, status: required(oneOf(statuses), "active or inactive", { choices: statuses }) },
  right: manage,
  async run(client, args, output) {
    await client.updateUser(args.user, { status: args.status });
    await output.say(`User ${named(args.user)} is ${args.status}.`);
  },
});

const password = serverCommand({
  words: ["user", "password"],
  alias: "pwd",
  summary: "Give a user another password",
  details: "Passwords that are not given are asked for; ps shows those that are.",
  examples: ["user password ann", "user pwd 2"],
  arguments: {
    user,
    currentPassword: optional(text, "The current one of that user; better asked for"),
    newPassword: optional(text, `The new one (${passwordLength}); better asked for`),
  },
  right: (args: { readonly user: Identifier }) => ({
    what: `change the password of ${named(args.user)}`,
    names: ["manage_users"],
  }),
  async run(client, args, output, session) {
    const current = await passwordOr(session, args.currentPassword, `Current password of ${named(args.user)}: `);
    const next = await passwordOr(session, args.newPassword, `New password (${passwordLength}): `);
    await client.changePassword(args.user, current, next);
    await output.say(`The password of ${named(args.user)} is changed.`);
  },
});

const permissions = serverCommand({
  words: ["user", "permissions"],
  alias: "p",
  summary: "Replace the permissions of a user",
  details: `Without options all are taken away.\n${permissionDetails}`,
  examples: ["user permissions ann -g p_msg -s 0:r_str#0:s_msg", "user permissions ann"],
  arguments: { user },
  options: permissionOptions,
  right: manage,
  async run(client, args, output) {
    const given = permissionsOf(args.global, args.streams);
    await client.updatePermissions(args.user, given);
    const who = args.user.kind === "string" ? args.user.value : `user ${args.user.value}`;
    await output.say(`${who} may now: ${permissionsText(given)}.`);
  },
});

export const commands: readonly Command[] = [list, get, create, name, status, password, permissions, remove];

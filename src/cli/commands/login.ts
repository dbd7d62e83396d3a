// `whippet login`: a token that ends, kept for the commands that follow.

import { type Command, localCommand } from "../command.ts";
import { sessionService, sessionTokenName } from "../credentials.ts";
import { clockText } from "../output/words.ts";
import { rest } from "../parameters.ts";
import { text } from "../values.ts";
import { expiryOf } from "./pat.ts";

/** As in the original. */
const defaultExpiryMicros = 15n * 60n * 1_000_000n;

const login = localCommand({
  words: ["login"],
  summary: "Log in, for the commands that follow",
  details: [
    "Makes a personal access token on the server and keeps it in the key ring, or in credentials.toml where there is none",
    "(with WHIPPET_CREDENTIALS=file in any case). Without an expiry it is good for 15 minutes.",
  ].join("\n"),
  examples: ["-u ann login", "login 8hours", "login none"],
  arguments: { expiry: rest(text, "How long: 8hours, 1day 12h, none (15min)") },
  async run(args, output, session) {
    const expiryMicros = expiryOf(args.expiry) ?? defaultExpiryMicros;
    const { address } = await session.target();
    const client = await session.connect({ ignoresSession: true });
    try {
      const tokens = await client.getPersonalAccessTokens();
      // One of an earlier login, whose text nobody has any more.
      if (tokens.some(({ name }) => name === sessionTokenName))
        await client.deletePersonalAccessToken(sessionTokenName);
      const token = await client.createPersonalAccessToken(sessionTokenName, expiryMicros);
      const place = await session.credentials.keep(sessionService(address), sessionTokenName, token);
      const now = BigInt(Date.now()) * 1000n;
      const until = expiryMicros === 0n ? "until you log out" : `until ${clockText(now + expiryMicros, now)}`;
      const who = client.server.username === undefined ? "" : ` as ${client.server.username}`;
      await output.say(`Logged in at ${address}${who} ${until}; the token is in ${place}.`);
    } finally {
      await client.close();
    }
  },
});

export const commands: readonly Command[] = [login];

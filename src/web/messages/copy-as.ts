// What is on the screen, as commands that do the same: to be run where the reader is, with a personal access token of the reader's
// in TOKEN. They never hold one.

export type CopyTarget = {
  /** `http://host:port` of the broker's HTTP port. */
  readonly origin: string;
  readonly stream: string;
  readonly topic: string;
};

export type CopyKind = "curl" | "typescript" | "cli";
export const copyKinds: readonly CopyKind[] = ["curl", "typescript", "cli"];

/** Reads messages of a partition from an offset on. */
export function readCommand(
  kind: CopyKind,
  { origin, stream, topic }: CopyTarget,
  partitionId: number,
  offset: bigint,
  count: number,
): string {
  switch (kind) {
    case "curl": {
      const path = `/streams/${encodeURIComponent(stream)}/topics/${encodeURIComponent(topic)}/messages`;
      const query = `partition_id=${partitionId}&kind=offset&value=${offset}&count=${count}&auto_commit=false`;
      return [
        ...signInLines(origin),
        `curl -s -H "Authorization: Bearer $ACCESS" ${quoted(`${origin}${path}?${query}`)}`,
      ].join("\n");
    }
    case "typescript":
      return [
        'import { connect } from "@whippet/client";',
        "",
        connectLine(origin),
        "const { messages } = await client.pollMessages({",
        `  stream: ${JSON.stringify(stream)},`,
        `  topic: ${JSON.stringify(topic)},`,
        '  consumer: { kind: "consumer", id: { kind: "numeric", value: 0 } },',
        `  partitionId: ${partitionId},`,
        `  strategy: { kind: "offset", value: ${offset}n },`,
        `  count: ${count},`,
        "});",
        "for (const { offset, payload } of messages) console.log(offset, new TextDecoder().decode(payload));",
        "await client.close();",
        "",
      ].join("\n");
    default:
      return `iggy --token "$TOKEN" message poll --offset ${offset} --message-count ${count} ${quoted(stream)} ${quoted(topic)} ${partitionId}`;
  }
}

/** Makes a stream and a topic, and sends a message. */
export function createCommand(kind: CopyKind, origin: string): string {
  switch (kind) {
    case "curl": {
      const post = (path: string, body: string) =>
        `curl -s -H "Authorization: Bearer $ACCESS" -H 'Content-Type: application/json' -d '${body}' ${quoted(`${origin}${path}`)}`;
      const topic =
        '{"name":"greetings","partitions_count":1,"compression_algorithm":"none","message_expiry":0,"max_topic_size":0}';
      const message = `{"partitioning":{"kind":"balanced","value":""},"messages":[{"payload":"${btoa("hello")}"}]}`;
      return [
        ...signInLines(origin),
        post("/streams", '{"name":"demo"}'),
        post("/streams/demo/topics", topic),
        post("/streams/demo/topics/greetings/messages", message),
      ].join("\n");
    }
    case "typescript":
      return [
        'import { connect, text } from "@whippet/client";',
        "",
        connectLine(origin),
        'const greetings = client.topic("demo", "greetings", text);',
        "await greetings.ensure({ partitionsCount: 1 });",
        'await greetings.send({ value: "hello" });',
        "await client.close();",
        "",
      ].join("\n");
    default:
      return [
        'iggy --token "$TOKEN" stream create demo',
        'iggy --token "$TOKEN" topic create demo greetings 1 none',
        'iggy --token "$TOKEN" message send --partition-id 0 demo greetings hello',
      ].join("\n");
  }
}

/** The REST API takes an access token, which a personal one is changed for. */
function signInLines(origin: string): readonly string[] {
  const body = `-H 'Content-Type: application/json' -d '{"token":"'"$TOKEN"'"}'`;
  const address = quoted(`${origin}/personal-access-tokens/login`);
  return [`ACCESS=$(curl -s ${body} ${address} | sed -E 's/.*"token":"([^"]+)".*/\\1/')`];
}

/** For one argument of a POSIX shell. */
export function quoted(text: string): string {
  return /^[A-Za-z0-9_./:=@-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

function connectLine(origin: string): string {
  return `const client = await connect(${JSON.stringify(origin)}, { credentials: { token: process.env.TOKEN ?? "" } });`;
}

// `whippet export`: a range of a topic as a file.

import type { PolledMessage } from "../../protocol/message/poll-messages.ts";
import { messageLine } from "../../protocol/message-line.ts";
import { type Command, serverCommand } from "../command.ts";
import { countText, numberText, sizeWords } from "../output/words.ts";
import { flag, option } from "../parameters.ts";
import { position, positionWords, rangeOf } from "../ranges.ts";
import { openSink } from "../transfer/files.ts";
import { fileForm, formOf } from "../transfer/format.ts";
import { type Place, placesOf, readNext } from "../transfer/partitions.ts";
import { rawMessage } from "../transfer/raw.ts";
import { lastOffsetsOf } from "../transfer/resume.ts";
import { UsageError } from "../usage-error.ts";
import { nonEmpty, partitionIds } from "../values.ts";
import { decrypted } from "./message-poll.ts";
import { pollTopic, stream, topic } from "./places.ts";

const exportCommand = serverCommand({
  words: ["export"],
  summary: "Write a topic, or a part of it, to a file",
  details: [
    `It ends where the partitions ended when it began. --from: ${positionWords}, or @TIME:TIME for both ends;`,
    "--to: an offset (with it), @TIME or -10m (without it). Times are of the server; without a zone they are local.",
    "Files called .zst or .gz are compressed. --resume goes on behind the last message of a file.",
  ].join("\n"),
  examples: [
    "export orders created -o orders.ndjson.zst",
    "export orders created --from @2026-11-01 --to @2026-11-02 > november.ndjson",
    "export orders created --format raw -p 0 -o 0.log",
  ],
  arguments: { stream, topic },
  options: {
    path: option("-o, --output <FILE>", nonEmpty, "Into this file; without it to stdout"),
    from: option("--from <POSITION>", position, "The first message (first)"),
    to: option("--to <POSITION>", position, "The last one (the last that is there)"),
    partitions: option("-p, --partitions <IDS>", partitionIds, "Only these, with commas between them"),
    form: fileForm,
    isResumed: flag("--resume", "Go on behind what the file has"),
  },
  lasts: true,
  right: pollTopic("export"),
  async run(client, args, output, session) {
    const form = formOf(args.form, args.path);
    if (args.isResumed && args.path === undefined) throw new UsageError("--resume needs --output");
    const range = rangeOf(args.from, args.to, { kind: "first" });
    const places = await placesOf(client, args, range, args.partitions ?? []);
    if (form === "raw" && places.length > 1) {
      throw new UsageError("a raw file has no place for the partition: choose one with -p");
    }
    if (args.isResumed && args.path !== undefined) {
      const last = await lastOffsetsOf(args.path, form, places[0]?.partitionId ?? 0, session.host);
      for (const place of places) {
        const offset = last.get(place.partitionId);
        if (offset !== undefined && offset >= place.next) place.next = offset + 1n;
      }
    }
    const encryption = form === "raw" ? undefined : await session.encryption();
    const toBytes = (partitionId: number, messages: readonly PolledMessage[]): Uint8Array =>
      form === "raw"
        ? Buffer.concat(messages.map(rawMessage))
        : new TextEncoder().encode(messages.map((message) => messageLine(partitionId, message)).join(""));

    const startedAtMs = performance.now();
    const wanted = totalOf(places);
    const counts = { messages: 0, bytes: 0 };
    const sink = openSink(args.path, output, { isAppended: args.isResumed });
    const progress = output.progress("export", () => {
      const seconds = Math.max((performance.now() - startedAtMs) / 1000, 0.001);
      const done = wanted === 0 ? 1 : 1 - totalOf(places) / wanted;
      const left = done > 0 ? [`${numberText(Math.ceil((seconds / done) * (1 - done)))} s left`] : [];
      return {
        done,
        texts: [
          countText(counts.messages, "message"),
          sizeWords(BigInt(counts.bytes)),
          `${sizeWords(BigInt(Math.round(counts.bytes / seconds)))}/s`,
          ...left,
        ],
      };
    });
    try {
      for (const place of places) {
        while (place.next < place.end && !session.signal.aborted) {
          const messages = await readNext(client, args, place);
          const clear = await Promise.all(messages.map((message) => decrypted(message, encryption)));
          const bytes = toBytes(place.partitionId, clear);
          await sink.write(bytes);
          counts.messages += messages.length;
          counts.bytes += bytes.length;
        }
      }
    } finally {
      await sink.end();
      progress.end();
    }
    const what = [
      countText(counts.messages, "message"),
      countText(places.length, "partition"),
      sizeWords(BigInt(args.path === undefined ? counts.bytes : Bun.file(args.path).size)),
    ].join(", ");
    await output.say(args.path === undefined ? `Wrote ${what}.` : `Wrote ${what} to ${args.path}.`);
  },
});

/** Offsets that are not read yet. */
function totalOf(places: readonly Place[]): number {
  return places.reduce((sum, { next, end }) => sum + (next < end ? Number(end - next) : 0), 0);
}

export const commands: readonly Command[] = [exportCommand];

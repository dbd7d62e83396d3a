// One message by itself: payload, headers, and what the broker knows about it.
import type { ConsoleBroker, PolledMessage, UserHeader } from "../../client/console-client.ts";
import {
  type Format,
  formats,
  type MessagePage as MessageAddress,
  newestMessages,
  writeAddress,
} from "../app/address.ts";
import { adjust } from "../app/location.ts";
import { useLoaded } from "../data/loaded.ts";
import { useSchema } from "../data/open-schema.ts";
import { readHeaders } from "../messages/headers.ts";
import { fieldText, textHeader } from "../messages/payload.ts";
import { Field } from "../parts/field.tsx";
import { later } from "../parts/later.tsx";
import { LoadedPart, Notice } from "../parts/notice.tsx";
import { PageHead } from "../parts/page-head.tsx";
import { Payload } from "../parts/payload.tsx";
import { PlainText } from "../parts/plain-text.tsx";
import { topicSteps } from "../parts/topic-head.tsx";
import { words } from "../words/en.ts";
import { formatWords } from "../words/formats.ts";
import { count, exactSize, localTime, utcTime } from "../words/numbers.ts";
import { MessageActions } from "./message-actions.tsx";

const SchemaPicker = later(() => import("./schema-picker.tsx").then((file) => file.SchemaPicker));
const text = words.message;

export function MessagePage({ page }: { readonly page: MessageAddress }) {
  const { stream, topic, partitionId, offset } = page;
  const key = writeAddress({ ...page, format: "auto", schema: "" });
  const load = async (from: ConsoleBroker) => {
    const consumer = { kind: "consumer", id: { kind: "numeric", value: 0 } } as const;
    const strategy = { kind: "offset", value: offset } as const;
    const { messages } = await from.pollMessages({ stream, topic, consumer, partitionId, strategy, count: 1 });
    return { message: messages.find((message) => message.offset === offset) };
  };
  const loaded = useLoaded(key, "", load, { ofSession: true });
  const steps = [...topicSteps(stream), { name: topic, address: writeAddress(newestMessages(stream, topic)) }];
  return (
    <>
      <PageHead title={text.title(count(partitionId), count(offset))} steps={steps}>
        <nav class="paging" aria-label={text.back}>
          <a href={writeAddress({ ...page, offset: offset + 1n })}>← {words.messages.newer}</a>
          {offset === 0n ? null : <a href={writeAddress({ ...page, offset: offset - 1n })}>{words.messages.older} →</a>}
        </nav>
      </PageHead>
      <LoadedPart loaded={loaded}>
        {({ message }) =>
          message === undefined ? (
            <Notice>{text.missing(count(offset))}</Notice>
          ) : (
            <>
              <MessageActions page={page} message={message} />
              <Message page={page} message={message} />
            </>
          )
        }
      </LoadedPart>
    </>
  );
}

function Message({ page, message }: { readonly page: MessageAddress; readonly message: PolledMessage }) {
  const { format } = page;
  const opened = useSchema(page.schema, `${page.stream}/${page.topic}`);
  const headers = readHeaders(message.userHeaders);
  return (
    <div class="message">
      <section>
        <h2>{text.payload}</h2>
        <Field label={text.as} isInline>
          {(id) => (
            <select
              id={id}
              value={format}
              onChange={({ currentTarget }) => adjust({ ...page, format: currentTarget.value as Format })}
            >
              {formats.map((name) => (
                <option key={name} value={name}>
                  {formatWords.formats[name]}
                </option>
              ))}
            </select>
          )}
        </Field>
        {format === "avro" || format === "protobuf" ? <SchemaPicker page={page} opened={opened} /> : null}
        <Payload
          key={format}
          bytes={message.payload}
          format={format}
          hint={textHeader(headers ?? [], "content-type")}
          schema={opened.schema}
        />
      </section>
      <section>
        <h2>{text.headers}</h2>
        <Headers headers={headers} bytes={message.userHeaders} />
      </section>
      <section>
        <h2>{text.meta}</h2>
        <dl>
          <dt>{text.id}</dt>
          <dd>{String(message.id)}</dd>
          <dt>{text.stored}</dt>
          <dd title={utcTime(message.timestampMicros)}>{localTime(message.timestampMicros)}</dd>
          <dt>{text.sent}</dt>
          {message.originTimestampMicros === 0n ? (
            <dd>{text.notSaid}</dd>
          ) : (
            <dd title={utcTime(message.originTimestampMicros)}>{localTime(message.originTimestampMicros)}</dd>
          )}
          <dt>{text.size}</dt>
          <dd>{exactSize(message.payload.length)}</dd>
          <dt>{text.checksum}</dt>
          <dd>{message.checksum.toString(16).padStart(16, "0")}</dd>
        </dl>
        <p class="muted">{text.keyNote}</p>
      </section>
    </div>
  );
}

function Headers({
  headers,
  bytes,
}: {
  readonly headers: readonly UserHeader[] | undefined;
  readonly bytes: Uint8Array;
}) {
  if (headers === undefined) {
    return (
      <>
        <p>{text.badHeaders}</p>
        <Payload bytes={bytes} format="hex" hint={undefined} />
      </>
    );
  }
  if (headers.length === 0) return <p>{text.noHeaders}</p>;
  return (
    <table class="plain headers">
      <thead>
        <tr>
          <th scope="col">{text.key}</th>
          <th scope="col">{text.kind}</th>
          <th scope="col">{text.value}</th>
        </tr>
      </thead>
      <tbody>
        {headers.map(({ key, value }) => (
          <tr key={`${key.kind} ${fieldText(key)}`}>
            <th scope="row">
              <PlainText text={fieldText(key)} />
            </th>
            <td>{value.kind}</td>
            <td>
              <PlainText text={fieldText(value)} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

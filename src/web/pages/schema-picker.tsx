// By which schema messages of a topic are read: one that this browser keeps, or one from the reader's files.
import { useState } from "preact/hooks";
import type { MessagePage } from "../app/address.ts";
import { adjust } from "../app/location.ts";
import type { OpenedSchema } from "../data/open-schema.ts";
import { bindSchema, keepSchema, removeSchema, schemas } from "../data/schemas.ts";
import { DecodeError } from "../messages/binary/reader.ts";
import { type KeptSchema, kindOfFiles, type SchemaFile, typesOf } from "../messages/schema.ts";
import { Field } from "../parts/field.tsx";
import { problemText } from "../parts/payload.tsx";
import { formatWords as text } from "../words/formats.ts";

export function SchemaPicker({ page, opened }: { readonly page: MessagePage; readonly opened: OpenedSchema }) {
  const [isAdding, setIsAdding] = useState(false);
  const [said, setSaid] = useState("");
  const { kept, error } = opened;
  const topic = `${page.stream}/${page.topic}`;
  const fitting = (schemas.value ?? []).filter(({ kind }) => kind === page.format);
  const types = kept === undefined || error !== undefined ? [] : typesOf(kept);
  const use = (schema: KeptSchema) => {
    adjust({ ...page, schema: schema.name });
    bindSchema(schema, topic).then(
      () => setSaid(text.kept),
      () => setSaid(text.notKept),
    );
  };
  const keep = (schema: KeptSchema) => keepSchema(schema).catch(() => setSaid(text.notKept));
  return (
    <div class="controls">
      <Field label={text.schema}>
        {(id) => (
          <select
            id={id}
            value={kept?.name ?? ""}
            onChange={({ currentTarget }) => {
              const chosen = fitting.find(({ name }) => name === currentTarget.value);
              if (chosen === undefined) adjust({ ...page, schema: "" });
              else use(chosen);
            }}
          >
            <option value="">{text.noSchema}</option>
            {fitting.map(({ name }) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        )}
      </Field>
      {kept === undefined || types.length < 2 ? null : (
        <Field label={text.type}>
          {(id) => (
            <select
              id={id}
              value={kept.type}
              onChange={({ currentTarget }) => void keep({ ...kept, type: currentTarget.value })}
            >
              {types.map((type) => (
                <option key={type} value={type}>
                  {type}
                </option>
              ))}
            </select>
          )}
        </Field>
      )}
      <button type="button" aria-expanded={isAdding} onClick={() => setIsAdding(!isAdding)}>
        {text.add}
      </button>
      {kept === undefined ? null : (
        <button
          type="button"
          onClick={() => {
            adjust({ ...page, schema: "" });
            removeSchema(kept.name).catch(() => setSaid(text.notKept));
          }}
        >
          {text.remove}
        </button>
      )}
      {isAdding ? (
        <AddSchema
          onAdd={(schema) => {
            setIsAdding(false);
            void keep(schema).then(() => use(schema));
          }}
        />
      ) : null}
      <p class="problem" role="alert">
        {error === undefined ? "" : text.bad(problemText(error))}
      </p>
      <span role="status">{said}</span>
    </div>
  );
}

function AddSchema({ onAdd }: { readonly onAdd: (schema: KeptSchema) => void }) {
  const [files, setFiles] = useState<readonly SchemaFile[]>([]);
  const [name, setName] = useState("");
  const [problem, setProblem] = useState("");
  const take = async (chosen: readonly File[]) => {
    setFiles([]);
    const read = await Promise.all(
      chosen.map(async (file) => ({ name: file.name, bytes: new Uint8Array(await file.arrayBuffer()) })),
    );
    setFiles(read);
    if (name === "") setName(read[0]?.name.replace(/\.\w+$/, "") ?? "");
  };
  const add = () => {
    if (files.length === 0 || name.trim() === "") {
      setProblem(text.noFiles);
      return;
    }
    const kind = kindOfFiles(files);
    try {
      const type = typesOf({ kind, files })[0] ?? "";
      onAdd({ name: name.trim(), kind, files, type, topics: [] });
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      setProblem(text.bad(problemText(error)));
    }
  };
  return (
    <fieldset class="add-schema">
      <legend>{text.add}</legend>
      <Field label={text.files}>
        {(id) => (
          <input
            id={id}
            type="file"
            multiple
            onChange={({ currentTarget }) => void take([...(currentTarget.files ?? [])])}
          />
        )}
      </Field>
      <Field label={text.name}>
        {(id) => <input id={id} value={name} onInput={({ currentTarget }) => setName(currentTarget.value)} />}
      </Field>
      <button type="button" aria-disabled={files.length === 0} onClick={add}>
        {text.keep}
      </button>
      <p class="problem" role="alert">
        {problem}
      </p>
    </fieldset>
  );
}

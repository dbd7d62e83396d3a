// A new user from what it is to do: each task is the one right that it needs, shown and tried before anything is saved.
import { useEffect, useState } from "preact/hooks";
import { type ConsoleBroker, isPermitted, type Operation, type Permissions } from "../../client/console-client.ts";
import { type NewUserPage as NewUserAddress, type Task, tasks, writeAdminAddress } from "../app/admin-address.ts";
import { copyText } from "../app/clipboard.ts";
import { Refusal } from "../app/errors.ts";
import { openAddress } from "../app/location.ts";
import { useLoaded } from "../data/loaded.ts";
import { compactPermissions, noPermissions, rightForTask, withRight } from "../data/permission-rows.ts";
import { mayChange } from "../data/rights.ts";
import { done } from "../data/undo.ts";
import { currentBroker } from "../data/writes.ts";
import { Field } from "../parts/field.tsx";
import { ErrorNotice, Notice } from "../parts/notice.tsx";
import { PageHead } from "../parts/page-head.tsx";
import { SaveForm } from "../parts/save-form.tsx";
import { NameInput } from "../parts/text-inputs.tsx";
import { TopicChoice } from "../parts/topic-choice.tsx";
import { words } from "../words/en.ts";
import { newUser as text, users } from "../words/users.ts";

type TaskOfTopic = {
  readonly task: Task;
  readonly streamId: number;
  readonly topicId: number;
  /** Names, as they are shown. */
  readonly stream: string;
  readonly topic: string;
};

const operations = Object.keys(text.operations) as (keyof typeof text.operations & Operation)[];
const passwordLetters = "abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
const passwordLength = 20;
const passwordBytes = { min: 3, max: 100 } as const;

/** The task of the address, if its topic is there. */
async function taskOf(from: ConsoleBroker, { topic: wanted, task }: NewUserAddress): Promise<readonly TaskOfTopic[]> {
  if (wanted === undefined) return [];
  const [stream, topic] = await Promise.all([
    from.getStream(wanted.stream),
    from.getTopic(wanted.stream, wanted.topic),
  ]);
  if (stream === undefined || topic === undefined) return [];
  return [{ task, streamId: stream.id, topicId: topic.id, stream: stream.name, topic: topic.name }];
}

export function NewUserPage({ page }: { readonly page: NewUserAddress }) {
  const loaded = useLoaded(`new user ${writeAdminAddress(page)}`, "", (from) => taskOf(from, page));
  const [chosen, setChosen] = useState<readonly TaskOfTopic[]>([]);
  const wanted = loaded.value;
  useEffect(() => {
    if (wanted !== undefined) setChosen(wanted);
  }, [wanted?.length]);
  const steps = [{ name: users.title, address: writeAdminAddress({ kind: "users", q: "" }) }];
  if (!mayChange("createUser")) {
    return (
      <>
        <PageHead title={text.title} steps={steps} />
        <Notice>{words.error.mayNot}</Notice>
      </>
    );
  }
  return (
    <>
      <PageHead title={text.title} steps={steps} />
      {loaded.error === undefined ? null : <ErrorNotice error={loaded.error} />}
      <Form chosen={chosen} onChoose={setChosen} task={page.task} />
    </>
  );
}

function Form({
  chosen,
  onChoose,
  task,
}: {
  readonly chosen: readonly TaskOfTopic[];
  readonly onChoose: (chosen: readonly TaskOfTopic[]) => void;
  readonly task: Task;
}) {
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const permissions = permissionsFor(chosen);
  const create = async () => {
    const { length } = new TextEncoder().encode(password);
    if (length < passwordBytes.min || length > passwordBytes.max) throw new Refusal(text.passwordBad);
    const rights = compactPermissions(permissions);
    await currentBroker().createUser({ username: name, password, ...(rights && { permissions: rights }) });
    done(text.created(name));
    openAddress(writeAdminAddress({ kind: "user", name }));
  };
  return (
    <SaveForm title={text.title} action={text.create(name)} onSave={create}>
      <div class="controls">
        <NameInput label={text.name} value={name} onChange={setName} />
        <PasswordFields password={password} onChange={setPassword} />
      </div>
      <h2>{text.may}</h2>
      <TaskList chosen={chosen} onChoose={onChoose} />
      <AddTask first={task} onAdd={(added) => onChoose([...chosen.filter((one) => !isSameTask(one, added)), added])} />
      <TryTable name={name} chosen={chosen} permissions={permissions} />
    </SaveForm>
  );
}

function PasswordFields({
  password,
  onChange,
}: {
  readonly password: string;
  readonly onChange: (password: string) => void;
}) {
  const [isMade, setIsMade] = useState(false);
  const [said, setSaid] = useState("");
  const make = () => {
    const numbers = crypto.getRandomValues(new Uint32Array(passwordLength));
    onChange(Array.from(numbers, (number) => passwordLetters[number % passwordLetters.length]).join(""));
    setIsMade(true);
    setSaid("");
  };
  return (
    <>
      <Field label={text.password}>
        {(id) => {
          const shared = {
            id,
            value: password,
            autocomplete: "new-password",
            spellcheck: false,
            required: true,
            onInput: ({ currentTarget }: { readonly currentTarget: HTMLInputElement }) => onChange(currentTarget.value),
          };
          // One that was made has to be read.
          return isMade ? <input type="text" {...shared} /> : <input type="password" {...shared} />;
        }}
      </Field>
      <button type="button" onClick={make}>
        {text.make}
      </button>
      {isMade ? (
        <>
          <button
            type="button"
            onClick={() => void copyText(password).then((isCopied) => setSaid(isCopied ? text.copied : ""))}
          >
            {text.copy}
          </button>
          <p role="status">{said === "" ? text.made : said}</p>
        </>
      ) : null}
    </>
  );
}

function TaskList({
  chosen,
  onChoose,
}: {
  readonly chosen: readonly TaskOfTopic[];
  readonly onChoose: (chosen: readonly TaskOfTopic[]) => void;
}) {
  if (chosen.length === 0) return <p>{text.noTask}</p>;
  return (
    <ul class="tasks">
      {chosen.map((one) => {
        const { task, stream, topic } = one;
        const title = text.taskText(task, stream, topic);
        const { flag } = rightForTask(task, one.streamId, one.topicId);
        return (
          <li key={title}>
            <strong>{title}</strong>{" "}
            <button
              type="button"
              class="link"
              aria-label={text.removeTask(title)}
              onClick={() => onChoose(chosen.filter((other) => !isSameTask(one, other)))}
            >
              ✕
            </button>
            <br />
            {text.gives(`${users.ofTopic(stream, topic)} › ${users.flags[flag]}`)} {text.includes[task]}
          </li>
        );
      })}
    </ul>
  );
}

function AddTask({ first, onAdd }: { readonly first: Task; readonly onAdd: (task: TaskOfTopic) => void }) {
  const [task, setTask] = useState<Task>(first);
  const [place, setPlace] = useState({
    streamId: undefined as number | undefined,
    topicId: undefined as number | undefined,
    stream: "",
    topic: "",
  });
  const { streamId, topicId, stream, topic } = place;
  const isWhole = streamId !== undefined && topicId !== undefined;
  return (
    <div class="controls">
      <Field label={text.task}>
        {(id) => (
          <select id={id} value={task} onChange={({ currentTarget }) => setTask(currentTarget.value as Task)}>
            {tasks.map((one) => (
              <option key={one} value={one}>
                {text.tasks[one]}
              </option>
            ))}
          </select>
        )}
      </Field>
      <TopicChoice
        value={place}
        none={users.choose}
        onChange={(chosen, streamName, topicName) => setPlace({ ...chosen, stream: streamName, topic: topicName })}
      />
      <button
        type="button"
        aria-disabled={!isWhole}
        onClick={() => {
          if (isWhole) onAdd({ task, streamId, topicId, stream, topic });
        }}
      >
        {text.addTask}
      </button>
    </div>
  );
}

/** The broker's own table, asked with the rights that are not saved yet. */
function TryTable({
  name,
  chosen,
  permissions,
}: {
  readonly name: string;
  readonly chosen: readonly TaskOfTopic[];
  readonly permissions: Permissions;
}) {
  const subjects = new Map(chosen.map((one) => [users.ofTopic(one.stream, one.topic), one]));
  const rows: readonly (readonly [string, TaskOfTopic | undefined])[] = [...subjects, [text.otherTopics, undefined]];
  return (
    <section aria-label={text.test}>
      <h2>{text.test}</h2>
      <p>{text.testIntro(name)}</p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keys. */}
      <section class="scrolls" tabIndex={0} aria-label={text.subjects}>
        <table class="plain">
          <thead>
            <tr>
              <th scope="col">{text.subject}</th>
              {operations.map((operation) => (
                <th key={operation} scope="col">
                  {text.operations[operation]}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map(([title, subject]) => (
              <tr key={title}>
                <th scope="row">{title}</th>
                {operations.map((operation) => (
                  <td key={operation}>
                    {isPermitted(permissions, operation, subject?.streamId, subject?.topicId) ? text.yes : text.no}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </section>
  );
}

function permissionsFor(chosen: readonly TaskOfTopic[]): Permissions {
  return chosen.reduce<Permissions>(
    (permissions, { task, streamId, topicId }) => withRight(permissions, rightForTask(task, streamId, topicId), true),
    noPermissions,
  );
}

function isSameTask(left: TaskOfTopic, right: TaskOfTopic): boolean {
  return left.task === right.task && left.streamId === right.streamId && left.topicId === right.topicId;
}

// Is it healthy, and what does it do now?
import { health as fetchHealth, type Health } from "../../client/console-client.ts";
import { newestMessages, writeAddress } from "../app/address.ts";
import type { Range } from "../app/observe-address.ts";
import { connection } from "../data/broker.ts";
import { useLoaded } from "../data/loaded.ts";
import { type Metrics, useMetrics } from "../data/metrics.ts";
import { mayChange } from "../data/rights.ts";
import { session } from "../data/session.ts";
import { later } from "../parts/later.tsx";
import { LoadedPart, Notice } from "../parts/notice.tsx";
import { PageHead } from "../parts/page-head.tsx";
import { Sparkline } from "../parts/sparkline.tsx";
import { words } from "../words/en.ts";
import { findingText, healthText } from "../words/findings.ts";
import { count, duration, size } from "../words/numbers.ts";

const text = words.overviewPage;
const millisPerSecond = 1000n;
const microsPerSecond = 1_000_000n;

const rate = (value: number) => `${count(Math.round(value * 10) / 10)}/s`;
const byteRate = (value: number) => `${size(Math.round(value))}/s`;
const atMost = (value: number) => `≤ ${value} ms`;

const tiles = [
  ["in.messages", rate],
  ["out.messages", rate],
  ["in.bytes", byteRate],
  ["out.bytes", byteRate],
  ["p99.send", atMost],
  ["p99.poll", atMost],
  ["errors", rate],
  ["clients", count],
  ["memory", size],
  ["cpu", (value: number) => `${Math.round(value)} %`],
  ["disk.free", size],
] as const satisfies readonly (readonly [keyof typeof text.metrics, (value: number) => string])[];

const OverviewCharts = later(() => import("./overview-charts.tsx").then((file) => file.OverviewCharts));

export function OverviewPage({ range }: { readonly range: Range }) {
  const loaded = useLoaded("health", "", () => fetchHealth(), { ofSession: true });
  const metrics = useMetrics();
  /** What was loaded before says nothing of a broker that does not answer now. */
  const isUnknown = connection.value === "reconnecting" || loaded.error !== undefined;
  const { value } = session;
  const startedAt = value.kind === "signedIn" ? BigInt(value.session.broker.startedAt) : undefined;
  const upSeconds = startedAt === undefined ? 0n : BigInt(Date.now()) / millisPerSecond - startedAt / microsPerSecond;
  const version = value.kind === "signedIn" ? value.session.broker.version : "";
  return (
    <>
      <PageHead
        title={text.title}
        summary={text.summary(version, duration(upSeconds > 0n ? upSeconds * microsPerSecond : 0n))}
      />
      <LoadedPart loaded={loaded}>
        {(health) => (isUnknown ? <p class="health">{text.unknown}</p> : <HealthPart health={health} />)}
      </LoadedPart>
      {mayChange("createStream") ? <WithoutStreams /> : null}
      <h2>{text.now}</h2>
      <dl class="tiles">
        {tiles.map(([name, write]) => (
          <Tile key={name} name={name} write={write} metrics={metrics} />
        ))}
      </dl>
      <p class="muted">{text.note}</p>
      <OverviewCharts range={range} last={metrics.last} />
    </>
  );
}

/** Whoever begins is led to what there is to begin with. */
function WithoutStreams() {
  const counted = useLoaded("count of streams", "", async (from) => (await from.getStats()).streamsCount, {
    kinds: ["stream"],
  });
  return counted.value === 0 ? (
    <Notice>
      {words.streamsPage.none} <a href="/ui/streams">{text.begin}</a>
    </Notice>
  ) : null;
}

function HealthPart({ health }: { readonly health: Health }) {
  return (
    <section aria-label={text.health}>
      <p class={`health ${health.level}`}>{healthText(health)}</p>
      {health.findings.length === 0 ? null : (
        <ul class="findings">
          {health.findings.map((finding) => {
            const sentence = findingText(finding);
            const { subject } = finding;
            return (
              <li key={sentence} class={finding.level}>
                {subject === undefined ? null : (
                  <a href={writeAddress(newestMessages(subject.stream, subject.topic))}>
                    {subject.stream}/{subject.topic}
                  </a>
                )}{" "}
                {sentence}
              </li>
            );
          })}
        </ul>
      )}
    </section>
  );
}

function Tile({
  name,
  write,
  metrics,
}: {
  readonly name: keyof typeof text.metrics;
  readonly write: (value: number) => string;
  readonly metrics: Metrics;
}) {
  const value = metrics.last?.values[name] ?? null;
  return (
    <div>
      <dt>{text.metrics[name]}</dt>
      <dd>
        {value === null ? "–" : write(value)}
        <Sparkline values={metrics.of(name)} />
      </dd>
    </div>
  );
}

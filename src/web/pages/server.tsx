// The broker's process and machine, where it listens, how its shards do, its certificates, and every setting with where it comes from.
import type { ComponentChildren } from "preact";
import {
  type ClusterMetadata,
  type ConfigReply,
  readConfig,
  type SettingRow,
  type Stats,
} from "../../client/console-client.ts";
import { adjust } from "../app/location.ts";
import type { ServerPage as ServerAddress } from "../app/observe-address.ts";
import { useLoaded } from "../data/loaded.ts";
import { type Metrics, useMetrics } from "../data/metrics.ts";
import { session } from "../data/session.ts";
import { Filter } from "../parts/filter.tsx";
import { LoadedPart, Notice } from "../parts/notice.tsx";
import { PageHead } from "../parts/page-head.tsx";
import { count, duration, localTime, size, utcTime } from "../words/numbers.ts";
import { serverWords as text } from "../words/observe.ts";

type Facts = { readonly stats: Stats; readonly cluster: ClusterMetadata };

const dayMicros = 24n * 3600n * 1_000_000n;
const soonDays = 14n;

/** Nobody counts the milliseconds that a server is up. */
function wholeSeconds(micros: bigint): bigint {
  return micros - (micros % 1_000_000n);
}

export function ServerPage({ page }: { readonly page: ServerAddress }) {
  const facts = useLoaded("server", "", async (from): Promise<Facts> => {
    const [stats, cluster] = await Promise.all([from.getStats(), from.getClusterMetadata()]);
    return { stats, cluster };
  });
  const config = useLoaded("config", "", () => readConfig(), { ofSession: true });
  const metrics = useMetrics();
  const { value } = session;
  const version = value.kind === "signedIn" ? value.session.broker.version : "";
  return (
    <>
      <PageHead
        title={text.title}
        summary={facts.value && text.summary(version, duration(wholeSeconds(facts.value.stats.runTimeMicros)))}
      />
      <LoadedPart loaded={facts}>{(known) => <FactsPart facts={known} />}</LoadedPart>
      <ShardsPart metrics={metrics} />
      <LoadedPart loaded={config}>{(known) => <ConfigPart config={known} page={page} />}</LoadedPart>
    </>
  );
}

function FactsPart({ facts: { stats, cluster } }: { readonly facts: Facts }) {
  const used = stats.totalDiskSpaceBytes - stats.freeDiskSpaceBytes;
  return (
    <div class="facts">
      <FactList title={text.process}>
        <Fact name={text.started}>
          <span title={utcTime(stats.startTimeMicros)}>{localTime(stats.startTimeMicros).slice(0, 19)}</span>
        </Fact>
        <Fact name={text.pid}>{stats.processId}</Fact>
        <Fact name={text.threads}>{count(stats.threadsCount)}</Fact>
        <Fact name={text.memory}>{size(stats.memoryUsageBytes)}</Fact>
        <Fact name={text.cpu}>{Math.round(stats.cpuUsagePercent)} %</Fact>
        <Fact name={text.protocol}>{stats.serverVersion}</Fact>
      </FactList>
      <FactList title={text.machine}>
        <Fact name={text.host}>{stats.hostname}</Fact>
        <Fact name={text.system}>
          {stats.osName} {stats.osVersion}, {stats.kernelVersion}
        </Fact>
        <Fact name={text.memory}>{text.of(size(stats.availableMemoryBytes), size(stats.totalMemoryBytes))}</Fact>
        <Fact name={text.cpu}>{Math.round(stats.totalCpuUsagePercent)} %</Fact>
        <Fact name={text.disk}>
          {text.disks(size(used), size(stats.freeDiskSpaceBytes), size(stats.totalDiskSpaceBytes))}
        </Fact>
      </FactList>
      <FactList title={text.data}>
        <Fact name={text.streams}>{count(stats.streamsCount)}</Fact>
        <Fact name={text.topics}>{count(stats.topicsCount)}</Fact>
        <Fact name={text.partitions}>{count(stats.partitionsCount)}</Fact>
        <Fact name={text.segments}>{count(stats.segmentsCount)}</Fact>
        <Fact name={text.messages}>
          {count(stats.messagesCount)}, {size(stats.messagesSizeBytes)}
        </Fact>
        <Fact name={text.groups}>{count(stats.consumerGroupsCount)}</Fact>
        <Fact name={text.clients}>{count(stats.clientsCount)}</Fact>
      </FactList>
      {cluster.nodes.map((node) => (
        <FactList key={node.name} title={text.node(node.name)}>
          <Fact name="TCP">{address(node.ip, node.tcpPort)}</Fact>
          <Fact name="HTTP">{address(node.ip, node.httpPort)}</Fact>
          <Fact name="WebSocket">{address(node.ip, node.websocketPort)}</Fact>
          <Fact name="QUIC">{address(node.ip, node.quicPort)}</Fact>
          <Fact name={text.role}>
            {node.role}, {node.status}
          </Fact>
        </FactList>
      ))}
    </div>
  );
}

function ShardsPart({ metrics: { last } }: { readonly metrics: Metrics }) {
  const ids = Object.keys(last?.values ?? {}).flatMap((name) => /^loop\.(\d+)$/.exec(name)?.[1] ?? []);
  return (
    <>
      <h2>{text.shards}</h2>
      <p class="muted">{text.shardsNote}</p>
      <table class="settings">
        <thead>
          <tr>
            <th scope="col">{text.shard}</th>
            <th scope="col">{text.late}</th>
            <th scope="col">{text.mailbox}</th>
          </tr>
        </thead>
        <tbody>
          {ids.map((id) => (
            <tr key={id}>
              <th scope="row">{id}</th>
              <td>{last?.values[`loop.${id}`] ?? "–"} ms</td>
              <td>{last?.values[`mailbox.${id}`] ?? "–"}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}

function ConfigPart({ config, page }: { readonly config: ConfigReply; readonly page: ServerAddress }) {
  const { items, certificates } = config;
  const wanted = page.q.trim().toLowerCase();
  const rows = items.filter(({ key, value, doc }) => `${key} ${value} ${doc}`.toLowerCase().includes(wanted));
  const changed = rows.filter(({ isChanged }) => isChanged);
  const others = rows.filter(({ isChanged }) => !isChanged);
  const settingOf = (key: string) => items.find((item) => item.key === key)?.value;
  const nowMicros = BigInt(Date.now()) * 1000n;
  return (
    <>
      <h2>{text.certificates}</h2>
      {certificates.length === 0 ? <p>{text.noCertificates}</p> : null}
      <ul>
        {certificates.map(({ transport, endsAt }) => {
          const days = (BigInt(endsAt) - nowMicros) / dayMicros;
          return (
            <li key={transport} class={days < soonDays ? "warn" : undefined}>
              {text.certificate(transport, localTime(BigInt(endsAt)).slice(0, 10), count(days))}
            </li>
          );
        })}
      </ul>
      <h2>{text.elsewhere}</h2>
      <p>
        {settingOf("http.metrics.enabled") === "true" ? (
          <a href={unquoted(settingOf("http.metrics.endpoint"))} target="_blank" rel="noreferrer">
            {text.metrics}
          </a>
        ) : (
          text.noMetrics
        )}{" "}
        ·{" "}
        <a href="/openapi" target="_blank" rel="noreferrer">
          {text.api}
        </a>
      </p>
      <h2>{text.settings}</h2>
      <Filter value={page.q} onChange={(q) => adjust({ kind: "server", q })} />
      {rows.length === 0 ? <Notice>{text.noSetting}</Notice> : null}
      <Settings title={text.changed} rows={changed} />
      <Settings title={text.unchanged} rows={others} />
    </>
  );
}

function Settings({ title, rows }: { readonly title: string; readonly rows: readonly SettingRow[] }) {
  if (rows.length === 0) return null;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keys.
    <section class="scrolls" aria-label={title} tabIndex={0}>
      <h3>{title}</h3>
      <table class="settings">
        <thead>
          <tr>
            <th scope="col">{text.key}</th>
            <th scope="col">{text.value}</th>
            <th scope="col">{text.from}</th>
            <th scope="col">{text.purpose}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ key, value, from, doc }) => (
            <tr key={key}>
              <th scope="row">
                <code>{key}</code>
              </th>
              <td>
                <code>{value === "" ? text.unset : value}</code>
              </td>
              <td>{text.origins[from]}</td>
              <td class="muted">{doc}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function FactList({ title, children }: { readonly title: string; readonly children: ComponentChildren }) {
  return (
    <section>
      <h2>{title}</h2>
      <dl>{children}</dl>
    </section>
  );
}

function Fact({ name, children }: { readonly name: string; readonly children: ComponentChildren }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  );
}

function address(ip: string, port: number): string {
  if (port === 0) return text.off;
  return ip.includes(":") ? `[${ip}]:${port}` : `${ip}:${port}`;
}

/** A text of TOML. */
function unquoted(toml: string | undefined): string {
  const value: unknown = JSON.parse(toml ?? '"/metrics"');
  return typeof value === "string" && value.startsWith("/") ? value : "/metrics";
}

// What the doctor prints: a table for people, one object for each finding for programs.
import { basename } from "node:path";
import type { Extent } from "./examine.ts";
import type { Finding } from "./findings.ts";

const unitBytes = 1000;
const units = ["B", "kB", "MB", "GB", "TB"] as const;

/** Decimal, with three digits at most behind the point: 1.31 GB. */
export function sizeText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= unitBytes && unit < units.length - 1) {
    value /= unitBytes;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(2)} ${units[unit]}`;
}

export function extentText({ streams, topics, partitions, sizeBytes }: Extent): string {
  return `${count(streams, "stream")}, ${count(topics, "topic")}, ${count(partitions, "partition")}, ${sizeText(sizeBytes)}`;
}

/** A line for each finding, with columns under each other; control characters in names are shown as escapes. */
export function findingLines(findings: readonly Finding[]): string[] {
  const rows = findings.map((finding) => {
    const { kind, place, file, text, consequence } = finding;
    return { kind, place: place ?? "-", file: place === undefined ? file : basename(file), text, consequence };
  });
  const width = (key: "kind" | "place" | "file") => Math.max(0, ...rows.map((row) => row[key].length));
  const widths = { kind: width("kind"), place: width("place"), file: width("file") };
  return rows.map(({ kind, place, file, text, consequence }) => {
    const columns = [kind.padEnd(widths.kind), place.padEnd(widths.place), file.padEnd(widths.file)];
    return visible(`  ${columns.join("  ")}  ${text}  → ${consequence}`);
  });
}

/** `4 findings, 1 with loss.` */
export function summaryText(findings: readonly Finding[]): string {
  if (findings.length === 0) return "Nothing was found: the directory is sound.";
  const lossCount = findings.filter(({ loss }) => loss !== undefined).length;
  const isSound = !hasDamage(findings);
  const sound = isSound ? " The directory is sound: a start puts the rest right." : "";
  return `${count(findings.length, "finding")}, ${lossCount === 0 ? "none" : lossCount} with loss.${sound}`;
}

export function hasDamage(findings: readonly Finding[]): boolean {
  return findings.some(({ severity }) => severity === "damage");
}

/** One JSON text for one finding. */
export function findingJson(finding: Finding): string {
  const { kind, severity, place, file, position, text, lostMessages, loss, consequence } = finding;
  return JSON.stringify({
    kind,
    severity,
    place: place ?? null,
    file,
    position: position ?? null,
    text,
    lost_messages: lostMessages ?? 0,
    loss: loss ?? null,
    consequence,
  });
}

function count(number: number, name: string): string {
  return `${number} ${name}${number === 1 ? "" : "s"}`;
}

function visible(text: string): string {
  return text.replace(/\p{Cc}/gu, (character) => JSON.stringify(character).slice(1, -1));
}

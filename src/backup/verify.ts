// What was copied is looked at by the doctor, before anybody relies on it.
import { loadConfig } from "../config/load.ts";
import { examine } from "../doctor/examine.ts";
import { findingLines, hasDamage, summaryText } from "../doctor/report.ts";
import { MetadataKeyError } from "../metadata/index.ts";
import type { BackupHost } from "./host.ts";

/** Whether it is sound; `undefined` where it cannot be looked at without the key. */
export async function verify(path: string, host: BackupHost): Promise<boolean | undefined> {
  const { environment, workingDirectory, say, showProgress, signal, onUninterruptible } = host;
  signal?.throwIfAborted();
  onUninterruptible?.(); // the checks of a partition do not let the event loop turn
  const { config } = loadConfig({ environment, workingDirectory });
  try {
    const { findings } = await examine({
      config: { ...config, system: { ...config.system, path } },
      isLive: false,
      onBytes: () => showProgress?.("verify"),
    });
    const damage = findings.filter(({ severity }) => severity === "damage");
    for (const line of findingLines(damage)) say(`${line}\n`);
    say(`Verified: ${summaryText(damage)}\n`);
    return !hasDamage(findings);
  } catch (error) {
    if (!(error instanceof MetadataKeyError)) throw error;
    say(`Not verified: ${error.message}\n`);
    return undefined;
  }
}

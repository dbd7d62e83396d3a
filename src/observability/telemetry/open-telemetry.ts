// Opens the exporters of a thread. Their packages are loaded only where they are on; without that no line of them runs.
import { loadExporters } from "./exporters-origin.ts";
import { noTelemetry, type Telemetry, type TelemetrySettings, type TelemetrySource } from "./telemetry.ts";

/** `tell` is told of an export that fails, at most once a minute. */
export async function openTelemetry(
  settings: TelemetrySettings,
  source: TelemetrySource,
  tell: (message: string) => void,
): Promise<Telemetry> {
  if (!settings.enabled) return noTelemetry;
  const { openExporters } = await loadExporters();
  return openExporters(settings, source, tell);
}

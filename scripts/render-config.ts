// `npm run config`: writes config.toml and docs/configuration.md anew from the schema of the configuration.
import { renderDefaultConfig } from "../src/config/render.ts";
import { renderConfigurationPage } from "./configuration-page.ts";

await Bun.write(new URL("../config.toml", import.meta.url), renderDefaultConfig());
await Bun.write(new URL("../docs/configuration.md", import.meta.url), renderConfigurationPage());

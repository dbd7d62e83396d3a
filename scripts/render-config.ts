// `npm run config`: writes config.toml anew from the schema of the configuration.
import { renderDefaultConfig } from "../src/config/render.ts";

await Bun.write(new URL("../config.toml", import.meta.url), renderDefaultConfig());

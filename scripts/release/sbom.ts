// The software bill of materials, CycloneDX in JSON: npm makes it from package-lock.json.
import { run } from "./run.ts";

interface Bom {
  readonly bomFormat: string;
  readonly components: readonly unknown[];
  readonly metadata: { readonly component: Readonly<Record<string, unknown>> };
}

/** For everything that is not for development only, on every platform. `name`: of the product. */
export async function makeSbom(root: string, name: string): Promise<string> {
  const command = ["npm", "sbom", "--package-lock-only", "--omit", "dev", "--sbom-format", "cyclonedx"];
  return namedSbom(await run([...command, "--sbom-type", "application"], root), name);
}

/** npm calls the product as the directory is called that it lies in. Throws where the text is no CycloneDX. */
export function namedSbom(text: string, name: string): string {
  const bom = JSON.parse(text) as Bom;
  if (bom.bomFormat !== "CycloneDX") throw new Error("npm did not make a bill of materials of CycloneDX");
  const { metadata } = bom;
  return `${JSON.stringify({ ...bom, metadata: { ...metadata, component: { ...metadata.component, name } } }, null, 2)}\n`;
}

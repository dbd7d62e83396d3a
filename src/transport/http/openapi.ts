// The OpenAPI document, made of the routes and their schemas when it is first asked for.
import { toOpenAPISchema } from "@elysiajs/openapi";
import type { TSchema } from "@sinclair/typebox";
import type { HttpRouter } from "./router.ts";

const version = "0.9.0";

interface Operation {
  requestBody?: { readonly required: boolean; readonly content: Record<string, { readonly schema: unknown }> };
}

/** The document as JSON text. Routes without documentation are left out. */
export function makeOpenApiText(router: HttpRouter): string {
  const { paths, components } = toOpenAPISchema(router);
  for (const route of router.routes) {
    const body: unknown = route.hooks.body;
    const path = paths[route.path.replace(/:([^/]+)/g, "{$1}")];
    const operation = (path as Record<string, Operation> | undefined)?.[route.method.toLowerCase()];
    // The generator does not know what a parser of our own reads.
    if (operation !== undefined && isSchema(body)) {
      operation.requestBody = { required: true, content: { "application/json": { schema: body } } };
    }
  }
  return JSON.stringify({
    openapi: "3.1.0",
    info: { title: "Whippet", description: "The HTTP API of Apache Iggy 0.8 and 0.9, as Whippet answers it.", version },
    security: [{ bearer: [] }],
    paths,
    components: {
      ...components,
      securitySchemes: { bearer: { type: "http", scheme: "bearer", bearerFormat: "JWT" } },
    },
  });
}

function isSchema(value: unknown): value is TSchema {
  return typeof value === "object" && value !== null;
}

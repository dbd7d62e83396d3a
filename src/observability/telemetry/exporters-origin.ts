// Where the exporters come from, which nothing needs that exports nothing. The build of the single-file executable
// (scripts/build.ts) puts a module of the same shape in the place of this one, whose exporters are a file of their own: they are as
// large as the broker, and code that is compiled ahead would be so twice.

export const loadExporters = () => import("./exporters.ts");

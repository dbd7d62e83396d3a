declare module "*.wasm" {
  /** Path of the file; inside a compiled executable, of its embedded copy. */
  const path: string;
  export default path;
}

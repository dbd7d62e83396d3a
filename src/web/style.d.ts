// Style sheets are imported for the bundler, which makes files of them.
declare module "*.css";

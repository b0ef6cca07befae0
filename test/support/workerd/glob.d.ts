interface ImportMeta {
  /** Files of the source tree, built in. */
  glob(
    pattern: string,
    options: { query?: string; import: "default"; eager: true },
  ): Record<string, unknown>;
}

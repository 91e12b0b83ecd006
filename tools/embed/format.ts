/** What a format of `ijepa embed` is given, and gives. */

export interface EmbeddedImages {
  /** Where each lies: its file, or its place in a shard. */
  readonly names: readonly string[];
  /** The class of each, null of one without; null where no image has one. */
  readonly labels: readonly (string | null)[] | null;
}

/** Features in the order of the images, computed as they are read. The name is what progress is said of. */
export interface EmbeddedFeatures {
  readonly width: number;
  /** Patches of an image; null where they were not asked for. */
  readonly patches: number | null;
  /** [some images, width] each. */
  pooled(name: string): AsyncIterable<Float32Array>;
  /** [some images, patches, width] each. */
  ofPatches(name: string): AsyncIterable<Float32Array>;
  /** Both at once; `patches` is empty where they were not asked for. */
  both(name: string): AsyncIterable<{ readonly pooled: Float32Array; readonly patches: Float32Array }>;
}

export interface WrittenFile {
  readonly path: string;
  readonly shape: readonly number[];
}

export interface EmbedFormat {
  /** Every file that is written for `out`. */
  readonly files: (out: string, patches: boolean) => readonly string[];
  readonly write: (what: {
    readonly out: string;
    /** Where a file is written before all of them are whole. */
    readonly draftOf: (path: string) => string;
    readonly images: EmbeddedImages;
    readonly features: EmbeddedFeatures;
    /** What made them, for files with a place for that. */
    readonly facts: Readonly<Record<string, string>>;
  }) => Promise<readonly WrittenFile[]>;
}

/** Features as one parquet file: image, label where there are labels, features and, if asked for, patches. */
import type { EmbedFormat } from "./format";
import { type FeatureRows, writeTable } from "./parquet";

export const table: EmbedFormat = {
  files: (out) => [out],
  write: async ({ out, draftOf, images, features, facts }) => {
    const { width, patches } = features;
    const count = images.names.length;
    async function* rows(): AsyncGenerator<FeatureRows> {
      let from = 0;
      for await (const { pooled, patches: ofPatches } of features.both(out)) {
        const to = from + pooled.length / width;
        const labels = images.labels?.slice(from, to) ?? [];
        yield { images: images.names.slice(from, to), labels, pooled, patches: ofPatches };
        from = to;
      }
    }
    const hasLabels = images.labels !== null;
    await writeTable(draftOf(out), { images: count, width, patches, hasLabels, facts }, rows());
    // Rows and columns, as pandas says it.
    const columns = 2 + (hasLabels ? 1 : 0) + (patches === null ? 0 : 1);
    return [{ path: out, shape: [count, columns] }];
  },
};

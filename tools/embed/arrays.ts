/** Features as NumPy's arrays: one file of pooled features, one of patches, and the names of the rows as text. */
import { writeAtomically } from "../../runtime/checkpoint/atomic";
import type { EmbedFormat } from "./format";
import { writeNpy } from "./npy";

const pathsOf = (out: string) => {
  const stem = out.replace(/\.npy$/, "");
  return { pooled: out, patches: `${stem}-patches.npy`, names: `${stem}-files.txt` };
};

export const arrays: EmbedFormat = {
  files: (out, withPatches) => {
    const { pooled, patches, names } = pathsOf(out);
    return withPatches ? [pooled, patches, names] : [pooled, names];
  },
  write: async ({ out, draftOf, images, features }) => {
    const { pooled, patches, names } = pathsOf(out);
    const count = images.names.length;
    const { width } = features;
    const array = async (path: string, shape: readonly number[], parts: AsyncIterable<Float32Array>) => {
      await writeNpy(draftOf(path), shape, parts);
      return { path, shape };
    };
    const written = [await array(pooled, [count, width], features.pooled(pooled))];
    if (features.patches !== null) {
      written.push(await array(patches, [count, features.patches, width], features.ofPatches(patches)));
    }
    const text = Buffer.from(images.names.map((name) => `${name}\n`).join(""));
    async function* whole(): AsyncGenerator<Uint8Array> {
      yield text;
    }
    await writeAtomically(draftOf(names), whole(), text.length);
    return [...written, { path: names, shape: [count] }];
  },
};

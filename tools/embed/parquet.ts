/** Features as one table of parquet: a row for each image, with what it is and, where there are labels, its class. */
import { ByteWriter, ParquetWriter, type SchemaElement } from "hyparquet-writer";
import { writeAtomically } from "../../runtime/checkpoint/atomic";

export interface FeatureTable {
  readonly images: number;
  /** Of the features after the final norm. */
  readonly width: number;
  /** null: without the column `patches`. */
  readonly patches: number | null;
  /** Whether there is a column of labels; an image without one has null there. */
  readonly hasLabels: boolean;
  /** For the metadata of the file. */
  readonly facts: Readonly<Record<string, string>>;
}

/** Some images one after the other. */
export interface FeatureRows {
  readonly images: readonly string[];
  readonly labels: readonly (string | null)[];
  /** [images, width]. */
  readonly pooled: Float32Array;
  /** [images, patches, width]; empty without them. */
  readonly patches: Float32Array;
}

/** The library holds numbers of a row group as a list of JavaScript's before it packs them. */
const mostNumbersOfGroup = 2 ** 21;
const text = { type: "BYTE_ARRAY", converted_type: "UTF8" } as const;

/** Lists in the three levels of the format's specification, which pyarrow writes too. */
const listOf = (
  name: string,
  repetition: "REQUIRED" | "REPEATED",
  element: readonly SchemaElement[],
): SchemaElement[] => [
  { name, repetition_type: repetition, num_children: 1, converted_type: "LIST" },
  { name: "list", repetition_type: "REPEATED", num_children: 1 },
  ...element,
];

export function tableSchema({ patches, hasLabels }: Pick<FeatureTable, "patches" | "hasLabels">): SchemaElement[] {
  const number: SchemaElement = { name: "element", type: "FLOAT", repetition_type: "REQUIRED" };
  const columns: readonly (readonly SchemaElement[])[] = [
    [{ name: "image", ...text, repetition_type: "REQUIRED" }],
    ...(hasLabels ? [[{ name: "label", ...text, repetition_type: "OPTIONAL" } as const]] : []),
    listOf("features", "REQUIRED", [number]),
    ...(patches === null ? [] : [listOf("patches", "REQUIRED", listOf("element", "REQUIRED", [number]))]),
  ];
  return [{ name: "root", num_children: columns.length }, ...columns.flat()];
}

/** Whole or not there. */
export async function writeTable(path: string, table: FeatureTable, rows: AsyncIterable<FeatureRows>): Promise<void> {
  const writer = new ByteWriter();
  const file = new ParquetWriter({
    writer,
    schema: tableSchema(table),
    createdBy: "ijepa",
    codec: "UNCOMPRESSED",
    statistics: false,
    kvMetadata: Object.entries(table.facts).map(([key, value]) => ({ key, value })),
  });
  const numbers = table.width * (1 + (table.patches ?? 0));
  const most = Math.max(1, Math.floor(mostNumbersOfGroup / numbers));
  let group = emptyGroup();
  const written = (): Uint8Array => {
    const bytes = writer.getBytes().slice();
    writer.index = 0;
    return bytes;
  };
  const flush = (): Uint8Array => {
    file.write({ columnData: columnsOf(table, group), rowGroupSize: most });
    group = emptyGroup();
    return written();
  };
  async function* parts(): AsyncGenerator<Uint8Array> {
    for await (const { images, labels, pooled, patches } of rows) {
      for (const [i, image] of images.entries()) {
        group.images.push(image);
        group.labels.push(labels[i] ?? null);
        group.pooled.push(numbersOf(pooled, i, table.width));
        const each = Array.from({ length: table.patches ?? 0 }, (_, patch) =>
          numbersOf(patches, i * (table.patches ?? 0) + patch, table.width),
        );
        group.patches.push(each);
        if (group.images.length === most) yield flush();
      }
    }
    if (group.images.length > 0) yield flush();
    file.finish();
    yield written();
  }
  await writeAtomically(path, parts(), 4 * table.images * numbers);
}

const emptyGroup = () => ({
  images: [] as string[],
  labels: [] as (string | null)[],
  pooled: [] as (readonly number[])[],
  patches: [] as (readonly (readonly number[])[])[],
});

const columnsOf = (
  { patches, hasLabels }: FeatureTable,
  group: ReturnType<typeof emptyGroup>,
): Parameters<ParquetWriter["write"]>[0]["columnData"] => [
  { name: "image", data: group.images, encoding: "PLAIN" },
  ...(hasLabels ? [{ name: "label", data: group.labels }] : []),
  // Features hardly repeat: a dictionary of them is looked for in vain.
  { name: "features", data: group.pooled, encoding: "PLAIN" },
  ...(patches === null ? [] : [{ name: "patches", data: group.patches, encoding: "PLAIN" } as const]),
];

/** Row `row` of an array of rows. */
const numbersOf = (values: Float32Array, row: number, width: number): number[] =>
  Array.from(values.subarray(row * width, (row + 1) * width));

/** The images of parquet files by number. A row group is read and unpacked as a whole, and the last ones are kept. */

import type { FileReader } from "../file-reader";
import type { FilePart, PatientReader } from "../read-patiently";
import { type Columns, type Footer, readFooter } from "./footer";
import { imageIn, readGroup } from "./row-group";
import { ParquetDamaged } from "./thrift";

/** To be sent to other threads. */
export interface RowReaderPlan {
  readonly kind: "parquet";
  /** Absolute. */
  readonly where: string;
  /** Below `where`. */
  readonly files: readonly string[];
  /** Number of the first row of each row group, over all files, and that of all rows; Float64. */
  readonly groupStarts: SharedArrayBuffer;
  /** File of each row group, and its number in that; Int32. */
  readonly groupFiles: SharedArrayBuffer;
  readonly groupNumbers: SharedArrayBuffer;
  /** The row of each image, ascending; Int32. */
  readonly rows: SharedArrayBuffer;
  readonly columns: Columns;
  /** For row groups that this thread keeps unpacked, in bytes; the last one always. */
  readonly memoryBytes: number;
}

/** Footers of the last files are kept: a file may have thousands of row groups. */
const mostFooters = 16;

export function openRows(plan: RowReaderPlan, patient: PatientReader): FileReader {
  const rows = new Int32Array(plan.rows);
  const placeOf = placesOf(plan);
  const keepFooter = keeper<string, Footer>(mostFooters);
  const keepGroup = keeper<number, readonly unknown[]>(plan.memoryBytes);
  const pathOf = (file: string): string => `${plan.where}/${file}`;

  const footerOf = (file: string): Promise<Footer> =>
    keepFooter(file, 1, () => patient.attempt(async () => readFooter(pathOf(file), plan.columns)));

  return {
    images: rows.length,
    name: (index) => {
      const { file, rowOfFile } = placeOf(rows[index] ?? 0);
      return `${file}#${rowOfFile}`;
    },
    bytes: async (index) => {
      const { file, group, groupOfFile, rowOfGroup } = placeOf(rows[index] ?? 0);
      const footer = await footerOf(file);
      const cost = footer.groups[groupOfFile]?.bytes ?? 0;
      const images = await keepGroup(group, cost, () =>
        readGroup({
          read: (part: FilePart) => patient.readPart(pathOf(file), part),
          footer,
          group: groupOfFile,
          column: plan.columns.imageColumn,
        }),
      );
      const image = imageIn(images[rowOfGroup]);
      if (image === null) throw new Error("empty file: the row has no bytes of an image");
      return image;
    },
  };
}

export interface RowPlace {
  readonly file: string;
  /** Over all files, and among those of the file. */
  readonly group: number;
  readonly groupOfFile: number;
  readonly rowOfFile: number;
  readonly rowOfGroup: number;
}

/** Where a row lies, by its number over all files. */
export function placesOf(
  plan: Pick<RowReaderPlan, "files" | "groupStarts" | "groupFiles" | "groupNumbers">,
): (row: number) => RowPlace {
  const starts = new Float64Array(plan.groupStarts);
  const [groupFiles, groupNumbers] = [new Int32Array(plan.groupFiles), new Int32Array(plan.groupNumbers)];
  return (row) => {
    let [low, high] = [0, groupFiles.length];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((starts[middle] ?? 0) <= row) low = middle;
      else high = middle;
    }
    const groupOfFile = groupNumbers[low] ?? 0;
    return {
      file: plan.files[groupFiles[low] ?? 0] ?? "",
      group: low,
      groupOfFile,
      rowOfFile: row - (starts[low - groupOfFile] ?? 0),
      rowOfGroup: row - (starts[low] ?? 0),
    };
  };
}

/** Keeps what was asked for last, up to a sum of costs, and the last of all. What could not be read is read again. */
function keeper<K, V>(most: number): (key: K, cost: number, make: () => Promise<V>) => Promise<V> {
  const kept = new Map<K, { readonly cost: number; readonly value: Promise<V> }>();
  let total = 0;
  const drop = (key: K): void => {
    total -= kept.get(key)?.cost ?? 0;
    kept.delete(key);
  };
  return (key, cost, make) => {
    const known = kept.get(key);
    drop(key);
    const value = known?.value ?? make();
    kept.set(key, { cost, value });
    total += cost;
    if (known === undefined) {
      // What is damaged stays so: its other images need not find that out again.
      value.catch((error: unknown) => {
        if (!(error instanceof ParquetDamaged) && kept.get(key)?.value === value) drop(key);
      });
    }
    for (const old of kept.keys()) {
      if (total <= most || old === key) break;
      drop(old);
    }
    return value;
  };
}

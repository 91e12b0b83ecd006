/** Weights of others as a checkpoint that `--init-from` begins with: safetensors under the official names. */
import { existsSync } from "node:fs";
import { errors } from "../../compiler/diagnostics/catalogue";
import { writeSafetensors } from "../../runtime/checkpoint/safetensors";
import { openWeights } from "../../runtime/checkpoint/weights-file";
import { noEncoderInFile } from "../../runtime/errors";
import { ExportRefused } from "../export/refused";

export interface ImportedWeights {
  /** Sentences for the person who asked. */
  readonly notes: readonly string[];
}

/** Throws R14x where the file cannot be read, R170 without an encoder, ExportRefused where `out` is taken. */
export async function importWeights(path: string, out: string): Promise<ImportedWeights> {
  if (existsSync(out)) throw new ExportRefused(out, errors.fileInTheWay());
  const { weights, layout, objective, leftOver, close } = await openWeights(path);
  try {
    if (!weights.has("encoder") && !weights.has("target_encoder")) throw noEncoderInFile({ path });
    const tensors = [...weights].flatMap(([network, of]) =>
      [...of].map(([name, { shape, read }]) => ({
        name: `${network}.${name}`,
        dtype: "F32" as const,
        shape,
        values: read,
      })),
    );
    await writeSafetensors(out, {
      metadata: { format: "pt", imported_from: layout, ...(objective !== null && { objective }) },
      tensors,
    });
    const names = [...weights.keys()].join(", ");
    return {
      notes: [
        `${tensors.length} tensors of ${names}`,
        ...([...weights.keys()].every((network) => /encoder$/.test(network))
          ? [
              "nothing behind the encoder is in it (predictor, decoder or head): a training begins with drawn weights there",
            ]
          : []),
        ...(leftOver.length === 0 ? [] : [`left out, for want of a place: ${leftOver.join(", ")}`]),
      ],
    };
  } finally {
    await close();
  }
}

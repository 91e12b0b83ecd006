/**
 * Weights of others in the form that they have here, where not only their names differ: the class token's row of a table of
 * positions, and the order of the pixels of a patch that a masked autoencoder's decoder predicts, a layer that is written as a convolution; and back.
 */
import type { StoredWeight } from "./stored-weight";

type Weights = ReadonlyMap<string, StoredWeight>;

const isSquare = (count: number): boolean => Number.isInteger(Math.sqrt(count));

/**
 * An encoder whose class token has no position: where its table begins with one, that is added to the token, which comes to
 * the same. Tables are told by the grids that they are for, which are square.
 */
export function withoutTokenPosition(encoder: Weights): Weights {
  const token = encoder.get("cls_token");
  const table = encoder.get("pos_embed");
  const [one = 0, rows = 0, width = 0] = table?.shape ?? [];
  const fits = table?.shape.length === 3 && one === 1 && token?.shape.join() === `1,1,${width}`;
  if (table === undefined || token === undefined || !fits || !isSquare(rows - 1) || isSquare(rows)) return encoder;
  return new Map([
    ...encoder,
    [
      "cls_token",
      {
        shape: token.shape,
        read: async () => {
          const positions = await table.read();
          return (await token.read()).map((value, i) => value + (positions[i] ?? 0));
        },
      },
    ],
    ["pos_embed", { shape: [1, rows - 1, width], read: async () => (await table.read()).subarray(width) }],
  ]);
}

/** A convolution over single tokens, [out, in, 1, 1], as the layer that it is, [out, in]. */
export function overTokens({ shape, read }: StoredWeight): StoredWeight {
  return { shape: shape.length === 4 && shape[2] === 1 && shape[3] === 1 ? shape.slice(0, 2) : shape, read };
}

const CHANNELS = 3;

/** A decoder whose last layer gives the values of a patch as (channel, y, x); theirs gives (y, x, channel). */
export function byChannel(decoder: Weights): Weights {
  return new Map(
    [...decoder].map(([name, weight]) => {
      const values = weight.shape[0] ?? 0;
      const isLast = /^decoder_pred\.(weight|bias)$/.test(name);
      return [name, isLast && isSquare(values / CHANNELS) ? rowsByChannel(weight) : weight];
    }),
  );
}

/** The last layer of our decoder as theirs. */
export const rowsByPixel = (weight: StoredWeight): StoredWeight =>
  rowsByChannel(weight, (weight.shape[0] ?? 0) / CHANNELS);

/** Rows (pixel, channel) as (channel, pixel); of `channels` other than three, whatever counts fastest in their order. */
function rowsByChannel({ shape, read }: StoredWeight, channels = CHANNELS): StoredWeight {
  const [rows = 0, width = 1] = shape;
  const pixels = rows / channels;
  return {
    shape,
    read: async () => {
      const theirs = await read();
      const ours = new Float32Array(theirs.length);
      for (let row = 0; row < rows; row++) {
        const from = ((row % pixels) * channels + Math.floor(row / pixels)) * width;
        ours.set(theirs.subarray(from, from + width), row * width);
      }
      return ours;
    },
  };
}

/**
 * TensorBoard's Event messages. Field numbers are those of tensorflow/core/util/event.proto and framework/summary.proto; the
 * forms that TensorBoard itself turns into newer ones (simple_value, image, histo) are short and need no plugin data.
 */
import { PbfWriter } from "pbf";
import type { Histogram } from "./histogram";

export interface EncodedImage {
  readonly width: number;
  readonly height: number;
  /** A PNG file. */
  readonly png: Uint8Array;
}

/** What an event says. */
export type Said =
  | { readonly says: "version" }
  /** The run goes on: what was said of this step or later ones holds no more. */
  | { readonly says: "session start" }
  | { readonly says: "scalars"; readonly values: ReadonlyMap<string, number> }
  | { readonly says: "image"; readonly tag: string; readonly image: EncodedImage }
  | { readonly says: "histogram"; readonly tag: string; readonly histogram: Histogram };

const SESSION_START = 1;
const RGB = 3;

/** `wallTime` in seconds since 1970. */
export function eventBytes(event: {
  readonly wallTime: number;
  readonly step: number;
  readonly said: Said;
}): Uint8Array {
  const pbf = new PbfWriter();
  pbf.writeDoubleField(1, event.wallTime);
  if (event.step !== 0) pbf.writeVarintField(2, event.step);
  const { said } = event;
  if (said.says === "version") pbf.writeStringField(3, "brain.Event:2");
  else if (said.says === "session start") pbf.writeMessage(7, (_, out) => out.writeVarintField(1, SESSION_START), null);
  else pbf.writeMessage(5, (_, out) => writeSummary(out, said), null);
  return pbf.finish();
}

function writeSummary(pbf: PbfWriter, said: Exclude<Said, { readonly says: "version" | "session start" }>): void {
  const value = (tag: string, write: (out: PbfWriter) => void): void => {
    pbf.writeMessage(
      1,
      (_, out) => {
        out.writeStringField(1, tag);
        write(out);
      },
      null,
    );
  };
  if (said.says === "scalars") {
    for (const [tag, number] of said.values) value(tag, (out) => out.writeFloatField(2, number));
  } else if (said.says === "image") {
    value(said.tag, (out) => out.writeMessage(4, (image, inner) => writeImage(inner, image), said.image));
  } else {
    value(said.tag, (out) =>
      out.writeMessage(5, (histogram, inner) => writeHistogram(inner, histogram), said.histogram),
    );
  }
}

function writeImage(pbf: PbfWriter, { width, height, png }: EncodedImage): void {
  pbf.writeVarintField(1, height);
  pbf.writeVarintField(2, width);
  pbf.writeVarintField(3, RGB);
  pbf.writeBytesField(4, png);
}

function writeHistogram(pbf: PbfWriter, histogram: Histogram): void {
  pbf.writeDoubleField(1, histogram.min);
  pbf.writeDoubleField(2, histogram.max);
  pbf.writeDoubleField(3, histogram.count);
  pbf.writeDoubleField(4, histogram.sum);
  pbf.writeDoubleField(5, histogram.squares);
  pbf.writePackedDouble(6, [...histogram.limits]);
  pbf.writePackedDouble(7, [...histogram.counts]);
}

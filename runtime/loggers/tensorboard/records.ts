/** TFRecord, the file format of TensorBoard's events: each record between its length and checksums of both. */
import crc32c from "crc-32/crc32c.js";

/** The checksum as TensorFlow stores it, so that data that hold checksums themselves do not weaken it. */
function maskedCrc(bytes: Uint8Array): number {
  const crc = crc32c.buf(bytes) >>> 0;
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

/** Length (u64), its checksum (u32), the data, their checksum (u32); little-endian. */
export function recordOf(data: Uint8Array): Uint8Array {
  const record = new Uint8Array(data.length + 16);
  const view = new DataView(record.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, maskedCrc(record.subarray(0, 8)), true);
  record.set(data, 12);
  view.setUint32(12 + data.length, maskedCrc(data), true);
  return record;
}

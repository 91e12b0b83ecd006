/** What reads image files by number, whatever holds them. */
export interface FileReader {
  readonly images: number;
  /** Below the folder of the data set. */
  name(index: number): string;
  /** Throws what the system says at last, and R139 where all of the data set is gone. */
  bytes(index: number): Promise<Uint8Array>;
}

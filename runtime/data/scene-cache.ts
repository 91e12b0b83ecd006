/** Rendered scenes as bytes in memory that all threads share: each is rendered once, and epochs repeat. */
import type { ShapesData } from "../experiment";
import type { RgbImage } from "./resample";
import { createRenderer } from "./shapes/render";
import { type Split, sceneAt } from "./shapes/shapes";

/** To be sent to other threads. */
export interface SceneCacheMemory {
  /** The first images of the split, as many as fit. */
  readonly pixels: SharedArrayBuffer;
  /** 1 where the image is there. */
  readonly ready: SharedArrayBuffer;
}

/** 40 000 scenes of 64×64; those beyond are rendered anew each time. */
const cacheBytes = 512e6;

export function createSceneCache(data: ShapesData, images: number, most = cacheBytes): SceneCacheMemory {
  const bytes = data.sceneSize * data.sceneSize * 3;
  const kept = Math.min(images, Math.floor(most / bytes));
  return { pixels: new SharedArrayBuffer(kept * bytes), ready: new SharedArrayBuffer(kept) };
}

/** Images of a split by number. Two threads may render the same scene at once; they write the same bytes. */
export function openScenes(data: ShapesData, split: Split, memory: SceneCacheMemory): (index: number) => RgbImage {
  const { sceneSize } = data;
  const bytes = sceneSize * sceneSize * 3;
  const pixels = new Uint8Array(memory.pixels);
  const ready = new Uint8Array(memory.ready);
  const renderer = createRenderer(sceneSize);
  return (index) => {
    const kept = index < ready.length;
    const image = kept ? pixels.subarray(index * bytes, (index + 1) * bytes) : new Uint8Array(bytes);
    if (!kept || Atomics.load(ready, index) === 0) {
      renderer.render(sceneAt(data, split, index), image, 0);
      if (kept) Atomics.store(ready, index, 1);
    }
    return { data: image, width: sceneSize, height: sceneSize };
  };
}

/**
 * Scene → pixels: one ray through the middle of each pixel, four more where neighbours differ, one shadow ray per
 * meeting.
 *
 * The same bytes on every machine: only + − × ÷, √, floor, min and max on doubles, which IEEE 754 fixes to the last bit
 * (no sin, pow or exp anywhere on the way from the random numbers to the pixels).
 */
import { comesNear, createRay, intersect } from "./intersect";
import { createShader, floorId, type Light, wallId } from "./light";
import type { Camera, Scene, SceneObject } from "./scene";
import { createStage } from "./stage";

/** Neighbours further apart than this (of 255, any channel) get more rays. */
const contrastStep = 9;

/** Where in its pixel each of the four rays goes: a rotated grid, so that near-vertical edges get four levels too. */
const spots = Float64Array.of(-0.125, -0.375, 0.375, -0.125, -0.375, 0.125, 0.125, 0.375);

export interface Renderer {
  /** Side of the image, in pixels. */
  readonly size: number;
  /** Writes size·size·3 bytes (rows, then pixels, then RGB) from `offset` on. */
  render(scene: Scene, out: Uint8Array, offset: number): void;
  /** What the middle of each pixel showed in the last `render`: number of the object, 250 = floor, 251 = wall. */
  readonly ids: Uint8Array;
}

/** Holds the scratch memory; one per thread is enough. */
export function createRenderer(size: number): Renderer {
  const pixels = size * size;
  const ids = new Uint8Array(pixels);
  const levels = new Uint8Array(3 * pixels);
  const refine = new Uint8Array(pixels);
  const stage = createStage();
  const ray = createRay();
  const shader = createShader();
  const light: Light = { red: 0.5, green: 0.5, blue: 0.5 };
  const step = 2 / size;

  /** The ray of image position (u, v), each −1…1, as a sum of these: right, up, forward · focal; then the origin. */
  const view = new Float64Array(12);

  function bindCamera({ x, y, z, right, up, forward, focal }: Camera): void {
    view.set([...right, ...up, ...forward.map((part) => focal * part), x, y, z]);
  }

  /** Colour seen at (column, row), in pixels, into `light`; returns what was met. */
  function trace(column: number, row: number, lampSpot: number): number {
    const { objects, count } = stage;
    const u = column * step - 1;
    const v = 1 - row * step;
    const dx = u * (view[0] ?? 0) + v * (view[3] ?? 0) + (view[6] ?? 0);
    const dy = u * (view[1] ?? 0) + v * (view[4] ?? 0) + (view[7] ?? 0);
    const dz = u * (view[2] ?? 0) + v * (view[5] ?? 0) + (view[8] ?? 0);
    const scale = 1 / Math.sqrt(dx * dx + dy * dy + dz * dz);
    ray.ox = view[9] ?? 0;
    ray.oy = view[10] ?? 0;
    ray.oz = view[11] ?? 0;
    ray.dx = dx * scale;
    ray.dy = dy * scale;
    ray.dz = dz * scale;

    const toWall = (stage.wallZ - ray.oz) / ray.dz;
    const toFloor = -ray.oy / ray.dy;
    const onFloor = toFloor > 0 && toFloor < toWall;
    ray.t = onFloor ? toFloor : toWall;
    ray.nx = 0;
    ray.ny = onFloor ? 1 : 0;
    ray.nz = onFloor ? 0 : -1;
    let id = onFloor ? floorId : wallId;
    for (let i = 0; i < count; i++) {
      const object = objects[i] as SceneObject; // i < count ≤ length
      if (comesNear(object, ray) && intersect(object, ray)) id = i;
    }
    shader.shade(stage, ray, id, lampSpot, light);
    return id;
  }

  function render(scene: Scene, out: Uint8Array, offset: number): void {
    stage.set(scene);
    bindCamera(scene.camera);
    shader.bind(scene.lamp);
    for (let row = 0, pixel = 0; row < size; row++) {
      for (let column = 0; column < size; column++, pixel++) {
        ids[pixel] = trace(column + 0.5, row + 0.5, 0);
        levels[3 * pixel] = byteOf(light.red);
        levels[3 * pixel + 1] = byteOf(light.green);
        levels[3 * pixel + 2] = byteOf(light.blue);
      }
    }
    markEdges();
    out.set(levels, offset);
    for (let row = 0, pixel = 0; row < size; row++) {
      for (let column = 0; column < size; column++, pixel++) {
        if (refine[pixel] === 0) continue;
        let red = 0;
        let green = 0;
        let blue = 0;
        for (let i = 0; i < 4; i++) {
          // Another spot of the lamp for each ray and, in a 2×2 pattern, for each pixel: soft shadows, no banding.
          const lampSpot = 1 + ((i + column + 2 * row) & 3);
          trace(column + 0.5 + (spots[2 * i] ?? 0), row + 0.5 + (spots[2 * i + 1] ?? 0), lampSpot);
          red += light.red;
          green += light.green;
          blue += light.blue;
        }
        const at = offset + 3 * pixel;
        out[at] = byteOf(red / 4);
        out[at + 1] = byteOf(green / 4);
        out[at + 2] = byteOf(blue / 4);
      }
    }
  }

  function markEdges(): void {
    refine.fill(0);
    for (let row = 0, pixel = 0; row < size; row++) {
      for (let column = 0; column < size; column++, pixel++) {
        if (column + 1 < size && differ(pixel, pixel + 1)) {
          refine[pixel] = 1;
          refine[pixel + 1] = 1;
        }
        if (row + 1 < size && differ(pixel, pixel + size)) {
          refine[pixel] = 1;
          refine[pixel + size] = 1;
        }
      }
    }
  }

  function differ(a: number, b: number): boolean {
    if (ids[a] !== ids[b]) return true;
    for (let channel = 0; channel < 3; channel++) {
      if (Math.abs((levels[3 * a + channel] ?? 0) - (levels[3 * b + channel] ?? 0)) > contrastStep) return true;
    }
    return false;
  }

  return { size, render, ids };
}

/** Linear light → byte: a soft shoulder towards white, and gamma 2 because √ is exact where pow is not. */
function byteOf(light: number): number {
  const shouldered = light < 0.7 ? light : 0.7 + (light - 0.7) / (1 + 1.2 * (light - 0.7));
  return Math.floor(255 * Math.sqrt(Math.min(1, Math.max(0, shouldered))) + 0.5);
}

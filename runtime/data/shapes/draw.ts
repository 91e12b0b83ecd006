/**
 * Random numbers → scene. The order of the draws is part of the data set: a change here changes every image.
 *
 * `difficulty` d, in two halves:
 *   0 … ½   from one object on a plain ground under a fixed lamp and camera to one dominant near object with up to
 *           three small far ones, everything varied (light, view, gloss, colours of a dull ground with faint patterns);
 *   ½ … 1   the dominant object shrinks to the size of the others, up to six objects, which hide one another more; the
 *           ground becomes colourful and its patterns strong.
 */
import {
  type Camera,
  distanceEdges,
  type Lamp,
  type PatternKind,
  type Scene,
  type SceneObject,
  type ShapeKind,
  type Surface,
  shapeKinds,
} from "./scene";

/** The next number of a stream, in 0 ≤ x < 1. */
export type Uniform = () => number;

const patterns: readonly PatternKind[] = ["plain", "checks", "stripes", "clouds"];
const farthest = 12.5;
const usualFocal = 1.9;

/** Most objects of a scene at this difficulty: 1 at 0, 4 at ½, 6 at 1. */
export function mostObjects(difficulty: number): number {
  return 1 + Math.round(3 * Math.min(1, 2 * difficulty)) + Math.round(2 * Math.max(0, 2 * difficulty - 1));
}

export function drawScene(uniform: Uniform, difficulty: number): Scene {
  const variation = Math.min(1, 2 * difficulty);
  const hardness = Math.max(0, 2 * difficulty - 1);
  const between = (low: number, high: number): number => low + (high - low) * uniform();
  /** Around a middle, as far as the difficulty lets it vary. */
  const around = (middle: number, reach: number): number => middle + reach * variation * (2 * uniform() - 1);

  const kind = pick(shapeKinds, uniform());
  const count = 1 + Math.floor(uniform() * mostObjects(difficulty));
  const nearestDistance = between(distanceEdges[0], distanceEdges[distanceEdges.length - 1] ?? 0);

  const camera = drawCamera(around, variation, nearestDistance);
  const lamp = drawLamp(around);
  const wallZ = around(15, 1.5);
  const floor = drawSurface(uniform, variation, hardness, 0.55);
  const wall = drawSurface(uniform, variation, hardness, 0.62);

  const dominant = place(uniform, camera, [], {
    kind,
    radius: between(0.95 - 0.3 * hardness, 1.25 - 0.4 * hardness),
    distances: [nearestDistance, nearestDistance],
    variation,
    hardness,
  });
  const objects: SceneObject[] = [dominant];
  while (objects.length < count) {
    objects.push(
      place(uniform, camera, objects, {
        kind: pick(shapeKinds, uniform()),
        radius: between(0.5, 0.72),
        distances: [Math.max(7, nearestDistance + 1.2), farthest],
        variation,
        hardness,
      }),
    );
  }
  return { objects, camera, lamp, floor, wall, wallZ, nearestDistance };
}

function pick<Value>(values: readonly Value[], u: number): Value {
  const value = values[Math.floor(u * values.length)];
  if (value === undefined) throw new Error("internal: a random number outside 0 ≤ u < 1");
  return value;
}

type Around = (middle: number, reach: number) => number;

/**
 * Height, position and both angles vary. The tilt is drawn as the height in the picture at which the dominant object
 * stands, whatever its distance: with a fixed tilt, the row of its foot alone would tell how near it is.
 */
function drawCamera(around: Around, variation: number, nearestDistance: number): Camera {
  const x = around(0, 0.8);
  const y = around(3.6, 0.8);
  const atX = x * 0.5 + around(0, 0.5);
  const focal = around(usualFocal, 0.12);
  // Down to the object, whose middle is about 1 above the floor, and then up or down by tan = row / focal.
  const down = (y - 1) / nearestDistance;
  const ahead = Math.sqrt(1 - down * down);
  const row = around(-0.15, 0.3) / focal;
  const aimed = unit([0, -down - row * ahead, ahead - row * down]);
  const fixed = unit([0, -3.05, 8]);
  const blend = (part: 1 | 2): number => variation * aimed[part] + (1 - variation) * fixed[part];
  const forward = unit([((atX - x) / 8) * blend(2), blend(1), blend(2)]);
  const right = unit([forward[2], 0, -forward[0]]);
  // forward × right
  const up = [
    forward[1] * right[2] - forward[2] * right[1],
    forward[2] * right[0] - forward[0] * right[2],
    forward[0] * right[1] - forward[1] * right[0],
  ] as const;
  return { x, y, z: 0, right, up, forward, focal };
}

/** From above and before the objects, left or right; warm or cool. */
function drawLamp(around: Around): Lamp {
  const side = around(0, 1) < 0 ? -1 : 1;
  const [x, y, z] = unit([side * around(0.85, 0.4), around(1.05, 0.3), around(-0.3, 0.4)]);
  const strength = around(0.95, 0.2);
  const warmth = around(0, 0.08);
  return {
    x,
    y,
    z,
    red: strength * (1 + warmth),
    green: strength,
    blue: strength * (1 - warmth),
    ambient: around(0.36, 0.1),
    spread: around(0.07, 0.05),
  };
}

function drawSurface(uniform: Uniform, variation: number, hardness: number, brightness: number): Surface {
  const hue = uniform();
  const saturation = variation * uniform() * (0.22 + 0.5 * hardness);
  const value = brightness + variation * 0.22 * (2 * uniform() - 1);
  const [red, green, blue] = colourOf(hue, saturation, value + 0.08);
  const pattern = pick(patterns, uniform());
  const contrast = variation * (0.02 + (0.06 + 0.35 * hardness) * uniform());
  const frequency = 0.18 + (0.22 + 0.35 * hardness) * uniform();
  const [cosTurn, sinTurn] = turn(uniform());
  const phase = uniform();
  return { red, green, blue, pattern, contrast, frequency, cosTurn, sinTurn, phase };
}

interface Wish {
  readonly kind: ShapeKind;
  readonly radius: number;
  /** From the camera to the centre. */
  readonly distances: readonly [number, number];
  readonly variation: number;
  readonly hardness: number;
}

/** The best of a number of random places: whole in the picture, and hidden by no other object or little. */
function place(uniform: Uniform, camera: Camera, others: readonly SceneObject[], wish: Wish): SceneObject {
  const { kind, variation, hardness } = wish;
  const shape = proportions(kind, wish.radius, uniform());
  const [cosYaw, sinYaw] = variation === 0 ? turn(0.07) : turn(uniform());
  const [red, green, blue] = colourOf(uniform(), 0.55 + 0.4 * uniform(), 0.62 + 0.36 * uniform());
  const gloss = 0.35 + variation * (0.65 * uniform() - 0.35);
  const metal = uniform() < 0.3 * variation ? 1 : 0;
  const look = { kind, cosYaw, sinYaw, red, green, blue, gloss: Math.max(gloss, 0.8 * metal), metal };

  // How near two outlines may come, as a share of the sum of their radii.
  const apart = 1.05 - 0.3 * hardness;
  let best: { readonly object: SceneObject; readonly margin: number } | undefined;
  for (let attempt = 0; attempt < 60; attempt++) {
    const distance = wish.distances[0] + (wish.distances[1] - wish.distances[0]) * uniform();
    const aside = 0.95 * (2 * uniform() - 1);
    const object = { ...look, ...shape, ...standAt(camera, distance, aside / camera.focal, shape.halfHeight) };
    const outline = outlineOf(camera, object);
    let margin = 0.97 - outline.radius - Math.max(Math.abs(outline.u), Math.abs(outline.v));
    for (const other of others) {
      const its = outlineOf(camera, other);
      const du = outline.u - its.u;
      const dv = outline.v - its.v;
      margin = Math.min(margin, Math.sqrt(du * du + dv * dv) - apart * (outline.radius + its.radius));
    }
    if (best === undefined || margin > best.margin) best = { object, margin };
    if (margin >= 0) break;
  }
  if (best === undefined) throw new Error("internal: no place was tried");
  return best.object;
}

/** Sizes such that the four shapes look equally large; `u` varies how tall cylinders and cones are. */
function proportions(
  kind: ShapeKind,
  size: number,
  u: number,
): { readonly radius: number; readonly halfHeight: number; readonly bound: number } {
  switch (kind) {
    case "sphere":
      return { radius: size, halfHeight: size, bound: size };
    case "cube": {
      const radius = 0.8 * size;
      return { radius, halfHeight: radius, bound: radius * Math.sqrt(3) };
    }
    case "cylinder": {
      const radius = 0.78 * size;
      const halfHeight = size * (0.75 + 0.3 * u);
      return { radius, halfHeight, bound: Math.sqrt(radius * radius + halfHeight * halfHeight) };
    }
    case "cone": {
      const radius = size;
      const halfHeight = size * (0.9 + 0.25 * u);
      return { radius, halfHeight, bound: Math.sqrt(radius * radius + halfHeight * halfHeight) };
    }
  }
}

/** On the floor, with its centre at this distance from the camera and this tangent to the right of its view. */
function standAt(
  camera: Camera,
  distance: number,
  tangent: number,
  halfHeight: number,
): { readonly x: number; readonly y: number; readonly z: number } {
  const down = camera.y - halfHeight;
  const level = Math.sqrt(distance * distance - down * down);
  const ahead = unit([camera.forward[0], 0, camera.forward[2]]);
  const [dx, , dz] = unit([ahead[0] + tangent * ahead[2], 0, ahead[2] - tangent * ahead[0]]);
  return { x: camera.x + level * dx, y: halfHeight, z: camera.z + level * dz };
}

/** Where in the image its circle lies; the half side of the image is 1. */
function outlineOf(
  camera: Camera,
  object: SceneObject,
): { readonly u: number; readonly v: number; readonly radius: number } {
  const along = (axis: readonly [number, number, number]): number =>
    (object.x - camera.x) * axis[0] + (object.y - camera.y) * axis[1] + (object.z - camera.z) * axis[2];
  const scale = camera.focal / along(camera.forward);
  const half = Math.max(object.radius, object.halfHeight);
  return { u: along(camera.right) * scale, v: along(camera.up) * scale, radius: half * scale };
}

function unit([x, y, z]: readonly [number, number, number]): readonly [number, number, number] {
  const scale = 1 / Math.sqrt(x * x + y * y + z * z);
  return [x * scale, y * scale, z * scale];
}

/** A direction for u in 0…1, all the way round: along a square, so that no sine is needed. */
function turn(u: number): readonly [cosine: number, sine: number] {
  const quarter = Math.floor(4 * u);
  const f = 4 * u - quarter;
  const scale = 1 / Math.sqrt((1 - f) * (1 - f) + f * f);
  const c = (1 - f) * scale;
  const s = f * scale;
  return quarter === 0 ? [c, s] : quarter === 1 ? [-s, c] : quarter === 2 ? [-c, -s] : [s, -c];
}

/** Hue, saturation and value → linear light (the square of the shown value, as gamma is 2). */
function colourOf(hue: number, saturation: number, value: number): readonly [number, number, number] {
  const channel = (shift: number): number => {
    const h = hue + shift - Math.floor(hue + shift);
    const level = Math.min(1, Math.max(0, Math.abs(6 * h - 3) - 1));
    const shown = value * (1 - saturation + saturation * level);
    return shown * shown;
  };
  return [channel(0), channel(2 / 3), channel(1 / 3)];
}

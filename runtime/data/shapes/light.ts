/** The colour of a meeting: paint, lamp with shadow, light from everywhere, gloss and mirror. */
import { createRay, intersect, type Ray } from "./intersect";
import type { Lamp, SceneObject } from "./scene";
import type { Stage } from "./stage";
import { patternAt } from "./surface";

/** What a ray meets: the number of an object, or one of these. */
export const floorId = 250;
export const wallId = 251;

/** Linear light. */
export interface Light {
  red: number;
  green: number;
  blue: number;
}

export interface Shader {
  /** Takes over the lamp of a scene. */
  bind(lamp: Lamp): void;
  /** The light that comes back along the ray from its meeting with `id`, into `out`; `bind` was given its lamp. */
  shade(stage: Stage, ray: Ray, id: number, lampSpot: number, out: Light): void;
}

/** Points of the lamp's disc by number: its middle, then four around it. */
const lampSpots = [
  [0, 0],
  [-0.25, -0.75],
  [0.75, -0.25],
  [-0.75, 0.25],
  [0.25, 0.75],
] as const;

export function createShader(): Shader {
  const shadow = createRay();
  /** Unit vectors towards the spots of the lamp. */
  const towardsLamp = new Float64Array(3 * lampSpots.length);

  function bind(lamp: Lamp): void {
    for (const [i, [du, dv]] of lampSpots.entries()) {
      const x = lamp.x + du * lamp.spread;
      const z = lamp.z + dv * lamp.spread;
      const length = Math.sqrt(x * x + lamp.y * lamp.y + z * z);
      towardsLamp.set([x / length, lamp.y / length, z / length], 3 * i);
    }
  }

  function shade(stage: Stage, ray: Ray, id: number, lampSpot: number, out: Light): void {
    const { lamp, floor, wall, objects, count } = stage;
    const { t, dx, dy, dz, nx, ny, nz } = ray;
    const x = ray.ox + t * dx;
    const y = ray.oy + t * dy;
    const z = ray.oz + t * dz;

    // From a point a little off the surface, so that it does not shade itself: what is seen of the lamp and the sky.
    shadow.ox = x + 1e-3 * nx;
    shadow.oy = y + 1e-3 * ny;
    shadow.oz = z + 1e-3 * nz;
    shadow.dx = towardsLamp[3 * lampSpot] ?? 0;
    shadow.dy = towardsLamp[3 * lampSpot + 1] ?? 0;
    shadow.dz = towardsLamp[3 * lampSpot + 2] ?? 0;
    let facing = Math.max(0, nx * shadow.dx + ny * shadow.dy + nz * shadow.dz);
    let sky = 1;
    for (let i = 0; i < count; i++) {
      if (i === id) continue; // convex: a face turned to the lamp is not in its own shadow
      const object = objects[i] as SceneObject; // i < count ≤ length
      const cx = object.x - x;
      const cy = object.y - y;
      const cz = object.z - z;
      const squared = cx * cx + cy * cy + cz * cz;
      const along = cx * shadow.dx + cy * shadow.dy + cz * shadow.dz;
      if (facing > 0 && along > 0 && squared - along * along < object.bound * object.bound) {
        shadow.t = 1e9;
        if (intersect(object, shadow)) facing = 0;
      }
      // The share of the sky that its sphere covers, less what a far one covers, so that it can be left out.
      const cosine = nx * cx + ny * cy + nz * cz;
      const area = object.radius * object.radius;
      if (cosine > 0 && area > 0.02 * squared) {
        sky *= 1 - Math.min(0.75, (cosine / Math.sqrt(squared)) * (area / squared - 0.02));
      }
    }
    const fromSky = lamp.ambient * sky * (0.65 + 0.35 * ny);

    if (id >= floorId) {
      const surface = id === floorId ? floor : wall;
      const nearness = id === floorId ? Math.min(1, 9 / t) : 1;
      const factor = patternAt(surface, x, id === floorId ? z : y, nearness * nearness);
      out.red = surface.red * factor * (fromSky + facing * lamp.red);
      out.green = surface.green * factor * (fromSky + facing * lamp.green);
      out.blue = surface.blue * factor * (fromSky + facing * lamp.blue);
      return;
    }

    const object = objects[id] as SceneObject; // below floorId, ids are numbers of objects
    const { red, green, blue, gloss, metal } = object;
    // The floor throws some light back up.
    const fromFloor = 0.3 * (0.5 - 0.5 * ny) * (0.4 + 0.6 * lamp.y);
    const paint = 1 - 0.75 * metal;
    out.red = red * paint * (fromSky + facing * lamp.red + fromFloor * floor.red);
    out.green = green * paint * (fromSky + facing * lamp.green + fromFloor * floor.green);
    out.blue = blue * paint * (fromSky + facing * lamp.blue + fromFloor * floor.blue);
    if (gloss <= 0) return;

    const dn = dx * nx + dy * ny + dz * nz;
    const mx = dx - 2 * dn * nx;
    const my = dy - 2 * dn * ny;
    const mz = dz - 2 * dn * nz;
    if (facing > 0) {
      // (m·l)^16 … ^64 by squaring: no pow.
      const ml = Math.max(0, mx * shadow.dx + my * shadow.dy + mz * shadow.dz);
      const m4 = ml * ml * ml * ml;
      const m16 = m4 * m4 * m4 * m4;
      const shine = gloss * ((1 - gloss) * 0.5 * m16 + gloss * 1.3 * m16 * m16 * m16 * m16);
      out.red += shine * lamp.red;
      out.green += shine * lamp.green;
      out.blue += shine * lamp.blue;
    }
    // What it mirrors: the floor below, the wall, and above a pale ceiling. More at a grazing view.
    const grazing = Math.max(0, 1 + dn);
    const mirror = metal * 0.75 + (1 - metal) * gloss * (0.04 + 0.35 * grazing * grazing * grazing);
    const ceiling = my < 0 ? 0 : Math.min(1, 1.6 * my);
    const below = my < -0.05;
    const base = below ? floor : wall;
    const share = mirror * (1 - ceiling) * (below ? 0.75 * sky : 0.8);
    const pale = mirror * ceiling * 1.15;
    out.red += (metal > 0 ? red : 1) * (share * base.red + pale);
    out.green += (metal > 0 ? green : 1) * (share * base.green + pale);
    out.blue += (metal > 0 ? blue : 1) * (share * base.blue + pale);
  }

  return { bind, shade };
}

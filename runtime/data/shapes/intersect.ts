/** Where a ray meets an object. Only + − × ÷ and √, which every machine rounds alike. */
import type { SceneObject } from "./scene";

/**
 * A ray o + t·d with d of length 1, and its nearest meeting so far: distance t and outward unit normal. One record that
 * is written over and over: numbers handed to a function one by one would each be a new object on the heap.
 */
export interface Ray {
  ox: number;
  oy: number;
  oz: number;
  dx: number;
  dy: number;
  dz: number;
  t: number;
  nx: number;
  ny: number;
  nz: number;
}

export function createRay(): Ray {
  // Halves, so that the fields are doubles from the start and not small integers.
  return { ox: 0.5, oy: 0.5, oz: 0.5, dx: 0.5, dy: 0.5, dz: 0.5, t: 0.5, nx: 0.5, ny: 0.5, nz: 0.5 };
}

/** Closer than this along a ray is the surface that it starts from. */
const nearest = 1e-4;

/** True where the ray comes near the object at all: it meets the sphere around it. Most rays do not. */
export function comesNear(object: SceneObject, ray: Ray): boolean {
  const px = ray.ox - object.x;
  const py = ray.oy - object.y;
  const pz = ray.oz - object.z;
  const pd = px * ray.dx + py * ray.dy + pz * ray.dz;
  const outside = px * px + py * py + pz * pz - object.bound * object.bound;
  return outside <= 0 || (pd < 0 && pd * pd >= outside);
}

/**
 * True where the ray meets the object closer than `ray.t`; then `ray` holds that meeting. The undersides of cylinder
 * and cone are left out: they lie on the floor.
 */
export function intersect(object: SceneObject, ray: Ray): boolean {
  switch (object.kind) {
    case "sphere":
      return intersectSphere(object, ray);
    case "cube":
      return intersectCube(object, ray);
    case "cylinder":
      return intersectCylinder(object, ray);
    case "cone":
      return intersectCone(object, ray);
  }
}

function intersectSphere({ x, y, z, radius }: SceneObject, ray: Ray): boolean {
  const px = ray.ox - x;
  const py = ray.oy - y;
  const pz = ray.oz - z;
  const b = px * ray.dx + py * ray.dy + pz * ray.dz;
  const root = b * b - (px * px + py * py + pz * pz - radius * radius);
  if (root < 0) return false;
  const t = -b - Math.sqrt(root);
  if (t < nearest || t >= ray.t) return false;
  ray.t = t;
  ray.nx = (px + t * ray.dx) / radius;
  ray.ny = (py + t * ray.dy) / radius;
  ray.nz = (pz + t * ray.dz) / radius;
  return true;
}

/** Slabs, in the frame of the cube. */
function intersectCube({ x, y, z, cosYaw: c, sinYaw: s, radius }: SceneObject, ray: Ray): boolean {
  const px = ray.ox - x;
  const py = ray.oy - y;
  const pz = ray.oz - z;
  const dy = ray.dy;
  const qx = c * px - s * pz;
  const qz = s * px + c * pz;
  const ex = c * ray.dx - s * ray.dz;
  const ez = s * ray.dx + c * ray.dz;
  // A direction of 0 divides to ±infinity, which compares as it should; 0/0 compares false, which is a miss.
  const ax = (ex > 0 ? -radius - qx : radius - qx) / ex;
  const bx = (ex > 0 ? radius - qx : -radius - qx) / ex;
  const ay = (dy > 0 ? -radius - py : radius - py) / dy;
  const by = (dy > 0 ? radius - py : -radius - py) / dy;
  const az = (ez > 0 ? -radius - qz : radius - qz) / ez;
  const bz = (ez > 0 ? radius - qz : -radius - qz) / ez;
  const enter = Math.max(ax, ay, az);
  const leave = Math.min(bx, by, bz);
  if (!(enter < leave) || enter < nearest || enter >= ray.t) return false;
  ray.t = enter;
  if (enter === ay) {
    ray.nx = 0;
    ray.ny = dy > 0 ? -1 : 1;
    ray.nz = 0;
  } else {
    const alongX = enter === ax;
    const sign = (alongX ? ex : ez) > 0 ? -1 : 1;
    // Back to the world: the transpose of the turn above.
    ray.nx = sign * (alongX ? c : s);
    ray.ny = 0;
    ray.nz = sign * (alongX ? -s : c);
  }
  return true;
}

function intersectCylinder({ x, y, z, radius, halfHeight }: SceneObject, ray: Ray): boolean {
  const { dx, dy, dz } = ray;
  const px = ray.ox - x;
  const py = ray.oy - y;
  const pz = ray.oz - z;
  const a = dx * dx + dz * dz;
  const b = px * dx + pz * dz;
  const root = b * b - a * (px * px + pz * pz - radius * radius);
  if (root > 0 && a > 0) {
    const t = (-b - Math.sqrt(root)) / a;
    const height = py + t * dy;
    if (t >= nearest && t < ray.t && height >= -halfHeight && height <= halfHeight) {
      ray.t = t;
      ray.nx = (px + t * dx) / radius;
      ray.ny = 0;
      ray.nz = (pz + t * dz) / radius;
      return true;
    }
  }
  // The lid, from above.
  if (dy >= 0) return false;
  const t = (halfHeight - py) / dy;
  if (t < nearest || t >= ray.t) return false;
  const lidX = px + t * dx;
  const lidZ = pz + t * dz;
  if (lidX * lidX + lidZ * lidZ > radius * radius) return false;
  ray.t = t;
  ray.nx = 0;
  ray.ny = 1;
  ray.nz = 0;
  return true;
}

/** x² + z² = (k·y)² with y measured down from the tip and k = radius / height. */
function intersectCone({ x, y, z, radius, halfHeight }: SceneObject, ray: Ray): boolean {
  const { dx, dy, dz } = ray;
  const height = 2 * halfHeight;
  const k = radius / height;
  const kk = k * k;
  const px = ray.ox - x;
  const py = ray.oy - y - halfHeight;
  const pz = ray.oz - z;
  const a = dx * dx + dz * dz - kk * dy * dy;
  const b = px * dx + pz * dz - kk * py * dy;
  const root = b * b - a * (px * px + pz * pz - kk * py * py);
  if (root < 0 || a === 0) return false;
  const s = Math.sqrt(root);
  const t0 = (-b - s) / a;
  const t1 = (-b + s) / a;
  for (let i = 0; i < 2; i++) {
    const t = (i === 0) === t0 < t1 ? t0 : t1; // the nearer first
    const down = py + t * dy;
    if (t < nearest || t >= ray.t || down > 0 || down < -height) continue;
    const mx = px + t * dx;
    const mz = pz + t * dz;
    const across = Math.sqrt(mx * mx + mz * mz);
    if (across === 0) continue; // the very tip
    const slant = Math.sqrt(1 + kk);
    ray.t = t;
    ray.nx = mx / (across * slant);
    ray.ny = k / slant;
    ray.nz = mz / (across * slant);
    return true;
  }
  return false;
}

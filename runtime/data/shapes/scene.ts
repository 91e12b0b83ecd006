/**
 * What a rendered scene is: a few objects on a floor before a wall, under one lamp. Plain numbers, in world units:
 * x to the right, y up (the floor is y = 0), z away from the camera. Colours are linear light in 0…1.
 */

export const shapeKinds = ["sphere", "cube", "cylinder", "cone"] as const;
export type ShapeKind = (typeof shapeKinds)[number];

/** Nearest distances lie between the first and the last edge; a class is the span between two neighbours. */
export const distanceEdges = [4.6, 5.6, 6.6, 7.6, 8.6] as const;

/** One record for all shapes, so that the renderer's inner loop sees one kind of object. */
export interface SceneObject {
  readonly kind: ShapeKind;
  /** Centre; y is the middle of its height. */
  readonly x: number;
  readonly y: number;
  readonly z: number;
  /** Sphere, cylinder, base of the cone: its radius. Cube: half of its side. */
  readonly radius: number;
  readonly halfHeight: number;
  /** Radius of a sphere around the centre that holds all of it. */
  readonly bound: number;
  /** Turn about the vertical axis, as cosine and sine. */
  readonly cosYaw: number;
  readonly sinYaw: number;
  readonly red: number;
  readonly green: number;
  readonly blue: number;
  /** 0 = matt … 1 = polished. */
  readonly gloss: number;
  /** 0 = paint … 1 = metal: how much it mirrors its surroundings in its own colour. */
  readonly metal: number;
}

export type PatternKind = "plain" | "checks" | "stripes" | "clouds";

export interface Surface {
  readonly red: number;
  readonly green: number;
  readonly blue: number;
  readonly pattern: PatternKind;
  /** How much the pattern lightens and darkens, as a share of the colour. */
  readonly contrast: number;
  /** Repeats of the pattern in one world unit. */
  readonly frequency: number;
  readonly cosTurn: number;
  readonly sinTurn: number;
  readonly phase: number;
}

export interface Camera {
  readonly x: number;
  readonly y: number;
  readonly z: number;
  /** Orthonormal: to the right, up, and along the view. */
  readonly right: readonly [number, number, number];
  readonly up: readonly [number, number, number];
  readonly forward: readonly [number, number, number];
  /** Distance of the image plane, whose half side is 1. */
  readonly focal: number;
}

export interface Lamp {
  /** Unit vector towards the lamp. */
  readonly x: number;
  readonly y: number;
  readonly z: number;
  readonly red: number;
  readonly green: number;
  readonly blue: number;
  /** Light from everywhere. */
  readonly ambient: number;
  /** Radius of the lamp as a share of its distance: softens the edges of shadows. */
  readonly spread: number;
}

export interface Scene {
  /** The dominant object first: it is the nearest. */
  readonly objects: readonly SceneObject[];
  readonly camera: Camera;
  readonly lamp: Lamp;
  readonly floor: Surface;
  readonly wall: Surface;
  readonly wallZ: number;
  /** From the camera to the centre of the nearest object; within `distanceEdges`. */
  readonly nearestDistance: number;
}

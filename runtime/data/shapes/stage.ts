/**
 * The scene that is being rendered, copied into records made once. A whole number such as `metal: 1` gives a record
 * another layout in V8 than 0.5 does, and code that meets many layouts is slow; these always keep the same one.
 */
import type { Lamp, Scene, SceneObject, Surface } from "./scene";

export interface Stage {
  readonly objects: readonly SceneObject[];
  /** How many of `objects` are there. */
  readonly count: number;
  readonly lamp: Lamp;
  readonly floor: Surface;
  readonly wall: Surface;
  readonly wallZ: number;
}

export interface SettableStage extends Stage {
  set(scene: Scene): void;
}

const mostObjects = 16;

export function createStage(): SettableStage {
  const objects = Array.from({ length: mostObjects }, blankObject);
  const stage = {
    objects,
    count: 0,
    lamp: blankLamp(),
    floor: blankSurface(),
    wall: blankSurface(),
    wallZ: 0.5,
    set(scene: Scene): void {
      if (scene.objects.length > mostObjects) throw new Error(`internal: a scene of over ${mostObjects} objects`);
      for (const [i, object] of scene.objects.entries()) Object.assign(objects[i] ?? {}, object);
      stage.count = scene.objects.length;
      Object.assign(stage.lamp, scene.lamp);
      Object.assign(stage.floor, scene.floor);
      Object.assign(stage.wall, scene.wall);
      stage.wallZ = scene.wallZ;
    },
  };
  return stage;
}

// Halves: no whole numbers, see above.

function blankObject(): SceneObject {
  return {
    kind: "sphere",
    x: 0.5,
    y: 0.5,
    z: 0.5,
    radius: 0.5,
    halfHeight: 0.5,
    bound: 0.5,
    cosYaw: 0.5,
    sinYaw: 0.5,
    red: 0.5,
    green: 0.5,
    blue: 0.5,
    gloss: 0.5,
    metal: 0.5,
  };
}

function blankLamp(): Lamp {
  return { x: 0.5, y: 0.5, z: 0.5, red: 0.5, green: 0.5, blue: 0.5, ambient: 0.5, spread: 0.5 };
}

function blankSurface(): Surface {
  return {
    red: 0.5,
    green: 0.5,
    blue: 0.5,
    pattern: "plain",
    contrast: 0.5,
    frequency: 0.5,
    cosTurn: 0.5,
    sinTurn: 0.5,
    phase: 0.5,
  };
}
